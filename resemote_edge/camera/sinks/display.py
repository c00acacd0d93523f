"""Display: a window with boxes and labels."""

import os
import sys

from resemote_edge.camera.address import shown
from resemote_edge.camera.results import FrameResult
from resemote_edge.camera.sinks.base import Sink, SinkEnded, SinkOptions
from resemote_edge.errors import DeviceUnavailableError, InputError
from resemote_edge.vision.frame import Frame
from resemote_edge.vision.opencv import import_opencv

__all__ = ["DisplaySink"]

_TITLE = "resemote-edge"
_ESCAPE = 27


class DisplaySink(Sink):
    """Shows the newest picture; closing the window, q or Escape ends the run.

    Args:
        address: ``display://``.
        options: Not used.

    Raises:
        InputError: The address says more than that.
        MissingDependencyError: OpenCV is not installed.
        DeviceUnavailableError: OpenCV was built without windows, or there is no screen.
    """

    picture = "annotated"
    queue_frames = 2  # Whoever looks wants the newest one.

    def __init__(self, address: str, options: SinkOptions) -> None:
        del options
        cv2 = self._cv2 = import_opencv("showing a window")
        self.name = "display://"
        if address.lower() not in ("display:", "display://", "display://0"):
            raise InputError(f"{shown(address)} is no address of this kind", hint="write display://")
        if _window_system(cv2.getBuildInformation()) == "NONE":
            raise DeviceUnavailableError(
                f"OpenCV {cv2.__version__} was built without windows, so {self.name} shows nothing",
                hint="run: pip uninstall opencv-python-headless && pip install opencv-python; or use live://",
            )
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise DeviceUnavailableError(
                f"{self.name}: there is no screen, since neither DISPLAY nor WAYLAND_DISPLAY is set",
                hint="run it on the screen's own session, or use live://",
            )
        self._shown = False

    def write(self, result: FrameResult, picture: Frame | None) -> None:
        """Show one picture.

        Raises:
            SinkEnded: The window was closed, or q or Escape pressed.
        """
        assert picture is not None, "this sink asks for a picture"
        self._cv2.imshow(_TITLE, picture.pixels)
        self._shown = True
        self._look()

    def tick(self) -> None:
        """Let the window answer while no frames come."""
        if self._shown:
            self._cv2.waitKey(1)

    def close(self) -> None:
        """Close the window."""
        if self._shown:
            self._cv2.destroyAllWindows()

    def _look(self) -> None:
        key = self._cv2.waitKey(1) & 0xFF
        closed = self._cv2.getWindowProperty(_TITLE, self._cv2.WND_PROP_VISIBLE) < 1
        if closed or key in (ord("q"), _ESCAPE):
            raise SinkEnded


def _window_system(build: str) -> str:
    """The window system of an OpenCV, from the text that it says of its build."""
    for line in build.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "GUI":
            return value.strip()
    return "NONE"
