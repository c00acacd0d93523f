"""Camera check: what the camera command keeps up with, and what it survives, against a real RTSP server."""
