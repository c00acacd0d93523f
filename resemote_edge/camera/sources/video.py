"""Video: cameras, streams and films, through OpenCV.

OpenCV reads what FFmpeg, Video4Linux or GStreamer give it. The wheel on PyPI has the first two; a Jetson's CSI camera
needs the third, which NVIDIA's own OpenCV has.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from resemote_edge.camera.address import scheme_of, without_secrets
from resemote_edge.camera.sources.base import Captured, FrameClock, Source, SourceOptions
from resemote_edge.errors import InputError, SourceError
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.opencv import import_opencv

__all__ = ["VideoSource", "has_gstreamer"]

#: Pixels of a frame above which a USB 2 camera is asked for JPEG: raw ones come at 5 to 10 frames a second.
_RAW_PIXELS = 640 * 480

#: CAP_PROP_POS_MSEC of OpenCV.
_POSITION_MS = 0

#: Films without a rate of their own are taken to have this one.
_FPS = 25.0

_CSI = (
    "nvarguscamerasrc sensor-id={sensor} ! video/x-raw(memory:NVMM), width={width}, height={height}, "
    "framerate={fps}/1 ! nvvidconv ! video/x-raw, format=BGRx ! videoconvert ! video/x-raw, format=BGR ! "
    "appsink drop=true max-buffers=1 sync=false"
)


class VideoSource(Source):
    """A camera (``0``, ``v4l2:///dev/video0``, ``csi://0``), stream (``rtsp://``, ``http://``, ``gst:``) or film.

    Args:
        address: URI, number of a camera, or path of a film.
        options: Options.
        clock: Clock of the stream.
    """

    def __init__(self, address: str, options: SourceOptions, clock: FrameClock) -> None:
        self.name = without_secrets(address)
        self._address = address
        self._options = options
        self._scheme = scheme_of(address)
        self._opener = _OPENERS.get(self._scheme, _open_film)
        if address.isdecimal() or address.startswith("/dev/"):
            self._opener = _open_camera
        self.live = self._opener is not _open_film
        self._capture: Any = None
        self._clock = clock
        self._period = 1.0 / _FPS
        self._offset = self._position = 0.0

    def open(self) -> None:
        """Open it; see `Source.open`."""
        cv2 = import_opencv("reading cameras and films")
        self._capture = self._opener(cv2, self._address, self._options)
        if not self._capture.isOpened():
            self.close()
            raise SourceError(f"{self.name}: {_why_closed(self._address, self._scheme)}", hint=_hint(self._scheme))
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._period = 1.0 / rate if 0.1 <= rate <= 1000 else 1.0 / _FPS

    def read(self) -> Captured | None:
        """The next frame; see `Source.read`."""
        seen, pixels = self._capture.read()
        if not seen and not self.live and self._options.loop and self._rewind():
            seen, pixels = self._capture.read()
        if not seen:
            if self.live:
                raise SourceError(f"{self.name}: gives no more frames")
            return None
        if pixels.ndim == 2:
            return self._clock.stamp(Frame(pixels, "gray"), self._film_time())
        return self._clock.stamp(Frame(pixels, "bgr"), self._film_time())

    def close(self) -> None:
        """Release it."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _film_time(self) -> float | None:
        """Time of the frame that was read last, in its film; None in a live source."""
        if self.live:
            return None
        self._position = float(self._capture.get(_POSITION_MS)) / 1e3
        return self._offset + self._position

    def _rewind(self) -> bool:
        """Start the film again, and let its time go on; whether it has begun again."""
        self._offset += self._position + self._period
        self.close()
        self.open()
        return True


def _open_camera(cv2: Any, address: str, options: SourceOptions) -> Any:
    path = address.partition("://")[2] or address
    device = f"/dev/video{path}" if path.isdecimal() else path
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    wanted: dict[int, float | None] = {}
    if options.size is not None:
        width, height = options.size
        if width * height > _RAW_PIXELS:
            wanted[cv2.CAP_PROP_FOURCC] = float(cv2.VideoWriter.fourcc(*"MJPG"))
        wanted |= {cv2.CAP_PROP_FRAME_WIDTH: float(width), cv2.CAP_PROP_FRAME_HEIGHT: float(height)}
    # The rate comes last: drivers set it anew for every size.
    wanted |= {cv2.CAP_PROP_FPS: options.fps, cv2.CAP_PROP_BUFFERSIZE: 1.0}
    for name, value in wanted.items():
        if value is not None:
            capture.set(name, value)
    return capture


def _open_stream(cv2: Any, address: str, options: SourceOptions) -> Any:
    # FFmpeg would wait for half a minute.
    waits = round(options.stall_s * 1000)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, waits, cv2.CAP_PROP_READ_TIMEOUT_MSEC, waits]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)


def _open_gstreamer(cv2: Any, address: str, options: SourceOptions) -> Any:
    pipeline = address.partition(":")[2].removeprefix("//")
    if scheme_of(address) == "csi":
        width, height = options.size or (1280, 720)
        pipeline = _CSI.format(sensor=pipeline or 0, width=width, height=height, fps=round(options.fps or 30))
    if not has_gstreamer(cv2):
        raise InputError(
            "the OpenCV that is installed was built without GStreamer",
            hint="on a Jetson, remove pip's opencv packages so that the system's own is used",
        )
    return cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)


def _open_film(cv2: Any, address: str, options: SourceOptions) -> Any:
    path = Path(address.removeprefix("file://"))
    try:
        facts = path.stat()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="name a film, folder, camera or stream") from None
    if not stat.S_ISREG(facts.st_mode):
        raise InputError(f"{path}: not a film: it is no regular file")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise InputError(f"{path}: not a film that FFmpeg can read", hint="convert it to MP4 with H.264")
    return capture


def has_gstreamer(cv2: Any) -> bool:
    """Whether an OpenCV can open pipelines of GStreamer."""
    return bool(cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER))


_OPENERS: dict[str, Callable[[Any, str, SourceOptions], Any]] = {
    "v4l2": _open_camera,
    "rtsp": _open_stream,
    "rtsps": _open_stream,
    "http": _open_stream,
    "https": _open_stream,
    "gst": _open_gstreamer,
    "csi": _open_gstreamer,
    "file": _open_film,
}


def _hint(scheme: str) -> str:
    if scheme in ("rtsp", "rtsps", "http", "https"):
        return "check the address in a player such as VLC"
    return "see: resemote-edge doctor camera"


def _why_closed(address: str, scheme: str) -> str:
    """Why a live source does not open, as far as the system tells; OpenCV says nothing but no."""
    if scheme in ("", "v4l2"):
        path = address.partition("://")[2] or address
        device = Path(f"/dev/video{path}" if path.isdecimal() else path)
        if not device.exists():
            return f"there is no device {device}"
        if not os.access(device, os.R_OK | os.W_OK):
            return f"no permission for {device} (it belongs to the group {device.group()})"
        return f"{device} does not open: it is in use by another program, or captures no video"
    if scheme in ("gst", "csi"):
        return "the GStreamer pipeline does not start"
    return "the stream does not open: nobody answers there, or it asks for another name, password or path"
