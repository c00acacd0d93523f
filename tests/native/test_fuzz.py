"""libFuzzer, for a bounded time, on what comes from outside: passports and frames."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCES = ROOT / "runtimes" / "src"
SECONDS = 8

#: Directory above the readers of passports and frames.
ABOVE = ("abi", "session", "classifier", "backend", "decision", "self_test")


def has_libfuzzer() -> bool:
    clang = shutil.which("clang++")
    if clang is None:
        return False
    command = [clang, "-print-file-name=libclang_rt.fuzzer-x86_64.a"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    resources = subprocess.run(
        [clang, "-print-resource-dir"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return Path(found).is_file() or any(Path(resources).rglob("libclang_rt.fuzzer-*.a"))


#: Flags of all that is compiled here.
FLAGS = ("-std=c++14", "-g", "-O1", "-ffp-contract=off", "-fno-sanitize-recover=all")


def compile_in(folder: Path, *arguments: object) -> None:
    command = ["clang++", *FLAGS, "-I", ROOT / "runtimes" / "include", "-I", SOURCES, *arguments]
    built = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert built.returncode == 0, built.stderr[-4000:]


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """The readers of passports and frames, compiled for both programs."""
    folder = tmp_path_factory.mktemp("objects")
    sources = [path for path in sorted(SOURCES.glob("*.cpp")) if not path.name.startswith(ABOVE)]
    compile_in(folder, "-fsanitize=fuzzer-no-link,address,undefined", "-c", *sources)
    return sorted(folder.glob("*.o"))


@pytest.mark.slow
@pytest.mark.skipif(not has_libfuzzer(), reason="clang++ with libFuzzer is not installed")
@pytest.mark.parametrize("target", ["fuzz_passport", "fuzz_frame"])
def test_no_input_breaks_it(target, objects, artifacts, tmp_path):
    program = tmp_path / target
    source = Path(__file__).with_name(f"{target}.cpp")
    compile_in(tmp_path, "-fsanitize=fuzzer,address,undefined", source, *objects, "-o", program, "-ldl")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    if target == "fuzz_passport":
        shutil.copy(artifacts("cpu-onnxruntime-fp32").path / "passport.json", corpus)
    # The program is started by a shell, because Linux includes the memory of the starting process in the peak, and the
    # tests may have used more than libFuzzer's limit. (`exit` keeps the shell from replacing itself by the program.)
    done = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh",
         program, f"-max_total_time={SECONDS}", "-max_len=65536", "-print_final_stats=1", corpus],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "stat::number_of_executed_units" in done.stderr
