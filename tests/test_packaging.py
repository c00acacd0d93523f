"""What a wheel carries: the package, its weights and recipes, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_is_pure_and_carries_exactly_the_package(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    checkout = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "resemote_edge").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    recipes = {f"resemote_edge/export/recipes/{path.name}" for path in (ROOT / "export").glob("*.toml")}
    assert recipes
    assert names == checkout | recipes


def test_recipes_are_found_in_an_installed_wheel(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from resemote_edge.export.recipe import available_recipes, find_recipe\n"
        "import resemote_edge; print(resemote_edge.__file__)\n"
        "print(*[find_recipe(name).name for name in available_recipes()])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    origin, recipes = done.stdout.splitlines()
    assert origin.startswith(str(tmp_path))
    assert recipes.split() == sorted(path.stem for path in (ROOT / "export").glob("*.toml"))
