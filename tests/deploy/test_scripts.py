"""The scripts of a bundle, read by shellcheck."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "resemote_edge" / "deploy" / "templates"
SHELLCHECK = shutil.which("shellcheck") or shutil.which("shellcheck", path=str(Path(sys.executable).parent))


@pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck is not installed (apt install shellcheck)")
@pytest.mark.parametrize("name", ["install.sh", "uninstall.sh", "resemote-wrapper"])
def test_shellcheck_finds_nothing(name):
    done = subprocess.run([SHELLCHECK, "--shell=sh", TEMPLATES / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
