"""The picture: one frame of drawn people with boxes, labels and bars, as SVG with the pixels inside."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from resemote_edge.camera.decider import DeciderOptions
from resemote_edge.camera.marks import mark_of
from resemote_edge.camera.results import FaceResult
from resemote_edge.camera.sources import make_source
from resemote_edge.camera.sources.base import FrameClock, SourceOptions
from resemote_edge.camera.sources.pattern import PatternSource
from resemote_edge.camera.watch import WatchOptions, watch
from resemote_edge.errors import needs
from resemote_edge.vision.annotate import annotate
from resemote_edge.vision.frame import bgr_pixels

__all__ = ["camera_picture"]

_SIZE = (960, 400)
_FACES = 3
_FPS = 24

#: Moment of the pattern that is shown, seconds; expressions have lasted for most of a second then.
_SHOWN_S = 20.9


def camera_picture() -> tuple[str, list[FaceResult]]:
    """Watch a second of drawn people, and draw what is said of the last frame.

    Returns:
        An SVG of 960x400 that needs no other file, and the faces in it.

    Raises:
        MissingDependencyError: Pillow or OpenCV is not installed.
    """
    with needs("images", "drawing the picture"):
        from PIL import Image
    source = make_source(f"pattern://?faces={_FACES}", SourceOptions(size=_SIZE), FrameClock())
    assert isinstance(source, PatternSource)
    with TemporaryDirectory() as folder:
        for number in range(_FPS):
            pixels = source.draw(_SHOWN_S - 1.0 + (number + 1) / _FPS)
            Image.fromarray(pixels[..., ::-1]).save(Path(folder) / f"{number:02}.png")
        source.close()
        with watch(folder, WatchOptions(threads=1, decider=DeciderOptions(detect_every=1))) as watching:
            last = list(watching)[-1]
            assert watching.frame is not None, "a result is about one"
            annotated = annotate(bgr_pixels(watching.frame), map(mark_of, last.faces))
    return _svg(annotated, last.faces), list(last.faces)


def _svg(pixels: NDArray[np.uint8], faces: Sequence[FaceResult]) -> str:
    from PIL import Image

    encoded = io.BytesIO()
    Image.fromarray(pixels[..., ::-1]).save(encoded, "WEBP", quality=80)
    height, width = pixels.shape[:2]
    told = ", ".join(f"{face.label} {face.score:.0%}" for face in faces)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t">\n'
        f'<title id="t">Drawn people in front of resemote-edge\'s camera command: {told}</title>\n'
        f'<image width="{width}" height="{height}" href="data:image/webp;base64,'
        f'{base64.b64encode(encoded.getvalue()).decode()}"/>\n'
        "</svg>\n"
    )
