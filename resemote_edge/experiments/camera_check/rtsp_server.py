"""An RTSP server on loopback, which shows a film from its start, or a test pattern.

It is run with the system's Python, which has the bindings of GStreamer (Debian: gir1.2-gst-rtsp-server-1.0, python3-gi
and gstreamer1.0-plugins-base, -good, -bad and -ugly). It prints ``ready`` once it listens at /stream.

Usage::

    rtsp_server.py serve PORT FILM.mp4|pattern
    rtsp_server.py encode FILM.avi FILM.mp4
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

_PAY = "rtph264pay name=pay0 pt=96 config-interval=1"
_ENCODER = "x264enc tune=zerolatency speed-preset=veryfast key-int-max=15 bitrate=4000"


def serve(port: str, film: str) -> None:
    """Serve a film, or a pattern, until the process is killed."""
    stream = f"filesrc location={film} ! qtdemux ! h264parse ! {_PAY}"
    if film == "pattern":
        size = "video/x-raw,width=320,height=240,framerate=30/1"
        stream = f"videotestsrc is-live=true ! {size} ! {_ENCODER} ! {_PAY}"
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {stream} )")
    factory.set_shared(True)
    server.get_mount_points().add_factory("/stream", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


def encode(source: str, target: str) -> None:
    """Turn a film of MJPEG into one of H.264."""
    pipeline = Gst.parse_launch(
        f"filesrc location={source} ! avidemux ! jpegdec ! videoconvert ! {_ENCODER} ! h264parse ! "
        f"qtmux ! filesink location={target}"
    )
    pipeline.set_state(Gst.State.PLAYING)
    wanted = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, wanted)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit(str(message.parse_error()[0]))


if __name__ == "__main__":
    Gst.init(None)
    {"serve": serve, "encode": encode}[sys.argv[1]](*sys.argv[2:])
