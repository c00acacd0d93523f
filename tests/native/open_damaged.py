"""Opens damaged copies of an artifact in the C library, with the passport's hashes put right, and prints the statuses.

Run in a process of its own, ``python open_damaged.py ARTIFACT FILE BACKEND SCRATCH FIRST COUNT``, as a crash ends it.
Prints ``NUMBER`` before a copy is opened, `` STATUSES SECONDS MESSAGE`` after, and at the end its peak memory in MiB.
"""

import copy
import ctypes
import hashlib
import json
import os
import random
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from damage_models import damaged

from resemote_edge.machine.memory import peak_bytes
from resemote_edge.runtimes.native import structs
from resemote_edge.runtimes.native.library import engine_library, load_library

#: What a field of the passport becomes.
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 65537, 2**31, 2**63, -(2**63), 2**64, 1e308, -0.0, 1e-320, "", "x" * 100_000, "\0",
    "../../etc/passwd", "/dev/zero", ".", "model.onnx", "passport.json", "golden_crops.npy", [], {}, [[]], [1] * 1000,
    ["a"] * 70_000, {"path": "model.onnx"},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def odd_passport(raw: bytes, rng: random.Random) -> bytes:
    """A passport in which one to three fields are odd, missing or doubled; or with damaged bytes."""
    if rng.randrange(4) == 0:
        return damaged(raw, rng)
    passport = json.loads(raw)
    for _ in range(rng.randrange(1, 4)):
        chosen = rng.choice([place for place in places(passport) if place and "calibration" not in place])
        parent = passport
        for key in chosen[:-1]:
            parent = parent[key]
        kind = rng.randrange(6)
        if kind == 0:
            del parent[chosen[-1]]
        elif kind == 1 and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[chosen[-1]]))
        else:
            parent[chosen[-1]] = copy.deepcopy(rng.choice(ODD))
    return json.dumps(passport).encode()


def spoil(artifact: Path, file: str, scratch: Path, number: int) -> None:
    """Make a copy of an artifact with a damaged file."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(artifact, scratch)
    rng = random.Random(f"{file} {number}")
    content = (odd_passport if file == "passport.json" else damaged)((artifact / file).read_bytes(), rng)
    (scratch / file).write_bytes(content)
    if file == "passport.json":
        return
    passport = json.loads((scratch / "passport.json").read_bytes())
    entry = next(entry for entry in passport["files"] if entry["path"] == file)
    entry.update(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    (scratch / "passport.json").write_text(json.dumps(passport))


def statuses(scratch: Path, backend: str) -> list[int]:
    """Open, test and use an artifact; the statuses up to the first failure."""
    library = load_library().functions
    options = structs.sized(structs.SessionOptions)
    options.backend, options.threads = backend.encode(), 1
    options.library = os.fsencode(engine_library(backend) or "")
    handle, session, result = ctypes.c_void_p(), ctypes.c_void_p(), structs.sized(structs.SelfTestResult)
    made = library.resemote_classifier_create(os.fsencode(scratch), options, None, handle)
    if made:
        return [made]
    library.resemote_classifier_get_session(handle, session)
    pixels = (ctypes.c_uint8 * (64 * 64))(*range(0, 256), *[9] * (64 * 64 - 256))
    frame = structs.sized(structs.Frame)
    frame.width = frame.height = 64
    frame.data = ctypes.addressof(pixels)
    decisions = (structs.Decision * 16)()
    found = [
        library.resemote_session_self_test(session, result),
        library.resemote_classifier_classify(handle, frame, (structs.Box * 1)((0, 0, 64, 64)), 1, decisions, None),
    ]
    library.resemote_classifier_destroy(handle)
    return [made, *found]


def main(artifact: Path, file: str, backend: str, scratch: Path, first: int, count: int) -> None:
    """Damage, open, report, for every number."""
    for number in range(first, first + count):
        print(number, end="", flush=True)
        spoil(artifact, file, scratch, number)
        began = time.monotonic()
        found = statuses(scratch, backend)
        said = load_library().functions.resemote_last_error().decode(errors="replace") if any(found) else "right"
        seconds = time.monotonic() - began
        line = said[:300].encode("ascii", "backslashreplace").decode().replace("\n", "\\n")
        print(f" {','.join(f'{status:02x}' for status in found)} {seconds:.2f} {line}", flush=True)
    # Not that of getrusage, which a child inherits from the process that started it.
    print(f"peak {peak_bytes() >> 20}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
