"""Verifies damaged copies of an artifact's file, with the passport's hash put right, and prints how each copy ends.

Run in a process of its own, ``python damage_models.py ARTIFACT FILE RUNTIME SCRATCH FIRST COUNT``, since an engine may
take the process with it. Prints ``NUMBER`` before a copy is opened, and `` EXIT-CODE LAST-LINE`` after.
"""

import contextlib
import hashlib
import io
import json
import random
import re
import shutil
import sys
import warnings
from pathlib import Path

from typed import exit_code

ODD_NUMBERS = (b"0", b"-1", b"1", b"7", b"65536", b"2147483647", b"-9223372036854775808", b"99999999999999999999")


def damaged(raw: bytes, rng: random.Random) -> bytes:
    """A copy cut short, with a bit turned over, other bytes, bytes too many, or another number in its text.

    Half of the places lie near the ends of the file, where the structure of most formats is; the rest are mostly in
    weights.
    """
    size = len(raw)
    near = min(size, 20_000)
    place = rng.choice([rng.randrange(size), rng.randrange(near), size - 1 - rng.randrange(near)])
    kind = rng.randrange(6)
    if kind == 0:
        return raw[:place]
    if kind == 1:
        return raw[:place] + bytes([raw[place] ^ 1 << rng.randrange(8)]) + raw[place + 1 :]
    if kind == 2:
        return raw[:place] + rng.randbytes(rng.choice([1, 4, 32])) + raw[place + 4 :]
    if kind == 3:
        return raw[:place] + rng.randbytes(8) + raw[place:]
    if kind == 4:
        return raw[:place] + bytes(min(64, size - place)) + raw[place + 64 :]
    numbers = [found.span() for found in re.finditer(rb"\b\d{1,9}\b", raw[:near])]
    first, last = rng.choice(numbers or [(0, 1)])
    return raw[:first] + rng.choice(ODD_NUMBERS) + raw[last:]


def main(artifact: Path, file: str, runtime: str, scratch: Path, first: int, count: int) -> None:
    """Damage, verify, report, for every number."""
    from resemote_edge.cli import cli

    whole = (artifact / file).read_bytes()
    for number in range(first, first + count):
        print(number, end="", flush=True)
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(artifact, scratch)
        content = damaged(whole, random.Random(f"{file} {number}"))
        (scratch / file).write_bytes(content)
        passport = json.loads((scratch / "passport.json").read_bytes())
        entry = next(entry for entry in passport["files"] if entry["path"] == file)
        entry.update(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        (scratch / "passport.json").write_text(json.dumps(passport))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = exit_code(cli, "verify", scratch, "--runtime", runtime, "--threads", "1")
        said = (err.getvalue().strip() or out.getvalue().strip()).splitlines()[-1:] or [""]
        print("", code, said[0][:300].encode("ascii", "backslashreplace").decode(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
