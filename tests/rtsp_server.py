"""An RTSP server that loops one film: run with the system's Python, which has GStreamer's bindings.

Usage: rtsp_server.py PORT FILM.mp4|pattern. Prints ``ready`` once it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

port, film = sys.argv[1:]
Gst.init(None)
pipeline = f"filesrc location={film} ! qtdemux ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96"
if film == "pattern":
    pipeline = (
        "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! "
        "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay config-interval=1 name=pay0 pt=96"
    )
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f"( {pipeline} )")
factory.set_shared(True)
server.get_mount_points().add_factory("/stream", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
