import hashlib

import numpy as np
import pytest

from resemote_edge.errors import InputError
from resemote_edge.measuring.samples import read_samples, write_samples


def test_samples_come_back(tmp_path):
    samples = {"model_ns": np.arange(5), "age_ns": np.arange(3) * 2}
    sha256 = write_samples(tmp_path / "deep" / "row.npz", samples)
    found = read_samples(tmp_path / "deep" / "row.npz")
    assert {name: values.tolist() for name, values in found.items()} == {
        "model_ns": [0, 1, 2, 3, 4],
        "age_ns": [0, 2, 4],
    }
    assert hashlib.sha256((tmp_path / "deep" / "row.npz").read_bytes()).hexdigest() == sha256


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_what_is_no_such_file(content, tmp_path):
    path = tmp_path / "row.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"row\.npz: not a file of samples"):
        read_samples(path)


def test_objects_are_refused(tmp_path):
    np.savez(tmp_path / "row.npz", evil=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="not a file of samples"):
        read_samples(tmp_path / "row.npz")
