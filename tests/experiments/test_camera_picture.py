"""The README's first picture is what the command makes, and says what the camera said."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resemote_edge.experiments.camera_picture.picture import camera_picture

ROOT = Path(__file__).parents[2]


def pixels_of(svg):
    data = re.search(r"data:image/webp;base64,([A-Za-z0-9+/=]+)", svg)[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), dtype=np.int16)


@pytest.mark.slow
def test_the_committed_picture_is_the_one_that_is_made():
    svg, faces = camera_picture()
    committed = (ROOT / "docs/images/camera.svg").read_text()
    # Another version of Pillow may encode the same picture into other bytes.
    assert np.abs(pixels_of(svg) - pixels_of(committed)).mean() < 1.0
    alt = re.search(r"!\[(.*?)\]\(docs/images/camera\.svg\)", (ROOT / "README.md").read_text())[1]
    for face in faces:
        assert f"{face.label} {face.score * 100:.0f} %" in alt
        assert f"{face.label} {face.score:.0%}" in committed
