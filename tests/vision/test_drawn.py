import numpy as np

from resemote_edge.vision.drawn import drawn_faces


def test_the_seed_decides_every_byte():
    assert np.array_equal(drawn_faces(8, seed=5), drawn_faces(8, seed=5))
    assert not np.array_equal(drawn_faces(8, seed=5), drawn_faces(8, seed=6))


def test_shape_and_variety():
    faces = drawn_faces(14, side=61)
    assert faces.shape == (14, 61, 61, 3)
    assert faces.dtype == np.uint8
    assert len({face.tobytes() for face in faces}) == 14
    assert drawn_faces(0).shape == (0, 48, 48, 3)
