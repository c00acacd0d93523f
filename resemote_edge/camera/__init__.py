"""Camera: from a source of frames to decisions about the faces in them, in sinks and on a live page."""
