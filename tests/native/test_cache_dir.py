"""Option ``cache_dir`` on the backends that run without a GPU: it works, or is refused."""

import ctypes
import os
import shutil
from pathlib import Path

import pytest

from resemote_edge.errors import InputError
from resemote_edge.runtimes.native import structs
from resemote_edge.runtimes.native.library import load_library

BUILD = Path(__file__).parent.parent.parent / "build" / "native-release" / "runtimes" / "libresemote.so"
pytestmark = pytest.mark.skipif(not BUILD.is_file(), reason="libresemote is not built; run: make native")

LOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p)


def engine_of(artifact: Path, backend: str, cache: Path | str) -> tuple[str, list[str]]:
    """Open an artifact and let it test itself; what it says of its engine, and its warnings."""
    library = load_library()
    options = library.session_options("cpu", 1)
    options.backend, options.cache_dir = backend.encode(), os.fsencode(cache)
    said: list[str] = []
    heard = LOG(lambda _, level, message: said.append(f"{level} {message.decode()}"))
    options.log = ctypes.cast(heard, ctypes.c_void_p)
    session = ctypes.c_void_p()
    library.check(library.functions.resemote_session_create(os.fsencode(artifact), options, session))
    try:
        library.check(library.functions.resemote_session_self_test(session, structs.sized(structs.SelfTestResult)))
        return library.session_info(session).engine.decode(), said
    finally:
        library.check(library.functions.resemote_session_destroy(session))


def test_openvino_keeps_what_it_compiled(artifacts, tmp_path):
    artifact, cache = artifacts("cpu-openvino-fp32").path, tmp_path / "deep" / "cache"
    assert engine_of(artifact, "openvino", "") == ("loaded", [])
    assert engine_of(artifact, "openvino", cache) == (f"loaded, with the cache in {cache}", [])
    kept = {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()}
    assert kept
    engine_of(artifact, "openvino", cache)
    # Half an entry, as a power failure leaves it, or a damaged one, is not the end of it.
    for path, whole in kept.items():
        for broken in (b"", whole[:100], whole[: len(whole) // 2], whole[:-1], bytes(len(whole))):
            path.write_bytes(broken)
            engine_of(artifact, "openvino", cache)


def test_a_folder_that_cannot_be_used_is_a_warning(artifacts, tmp_path):
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nothing")):
        origin, said = engine_of(artifacts("cpu-openvino-fp32").path, "openvino", bad)
        assert origin.startswith("loaded; not kept: ")
        assert len(said) == 1
        assert said[0].startswith("1 ")
        assert str(bad) in said[0]


def test_onnxruntime_refuses_what_it_cannot_serve(artifacts, tmp_path):
    artifact = shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, tmp_path / "copy")
    assert engine_of(artifact, "onnxruntime", "") == ("loaded", [])
    with pytest.raises(InputError, match="leave cache_dir out"):
        engine_of(artifact, "onnxruntime", tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
