"""Commands as a user types them; only where it matters, in a process of their own."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typed import resemote_edge

from resemote_edge.artifacts.prebuilt import PREBUILT_NAME
from resemote_edge.benchmarks.report.files import REPORT_FILES
from resemote_edge.export.recipe import default_recipe, find_recipe

COMMAND = [sys.executable, "-m", "resemote_edge"]


def ok(*words, cwd=None):
    done = resemote_edge(*words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_export_inspect_verify(checkpoint_path, tmp_path):
    made = json.loads(ok("export", checkpoint_path, "--target", "onnx", "--json", cwd=tmp_path))
    assert made["artifact"] == "artifacts/tiny-onnx-fp32"
    assert made["verification"]["status"] == "passed"
    passport = json.loads(ok("inspect", made["artifact"], "--json", cwd=tmp_path))
    assert passport["target"] == "onnx"
    assert "passed" in ok("inspect", made["artifact"], cwd=tmp_path)
    for runtime in ("onnxruntime", "openvino"):
        result = json.loads(ok("verify", made["artifact"], "--runtime", runtime, "--json", cwd=tmp_path))
        assert result["passed"]
        assert result["runtime"] == runtime


def test_probabilities_from_export_to_prediction(checkpoint_path, tiny_fer2013, tmp_path):
    for output in ("logits", "probabilities"):
        options = ["--target", "onnx", "--input", "gray-u8", "--output", output, "-o", output]
        said = ok("export", checkpoint_path, *options, cwd=tmp_path)
        assert f"largest difference of {output}" in said
        assert f"largest difference of {output}" in ok("verify", output, cwd=tmp_path)
    image = tiny_fer2013 / "test" / "happy" / "0.png"
    rows = [
        json.loads(ok("predict", "--crop", image, "--artifact", output, "--json", cwd=tmp_path))[0]
        for output in ("logits", "probabilities")
    ]
    assert rows[0]["probabilities"] == pytest.approx(rows[1]["probabilities"], abs=1e-6)
    options = ["--data", tiny_fer2013, "--reference", "logits", "--json"]
    assert json.loads(ok("eval", "probabilities", *options, cwd=tmp_path))["agreement"] == 1.0


def test_verify_fails_with_exit_code_3(artifacts, tmp_path):
    shutil.copytree(artifacts("cpu-onnxruntime-fp16").path, tmp_path / "a")
    manifest = tmp_path / "a" / "passport.json"
    passport = json.loads(manifest.read_text())
    passport["golden"]["max_abs_diff"] = 1e-12
    manifest.write_text(json.dumps(passport))
    done = resemote_edge("verify", tmp_path / "a")
    assert done.returncode == 3
    assert done.stdout.startswith("FAILED")


def test_predict_names_every_image(artifacts, tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / "a.png", tmp_path / "b.jpg"]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (90, 70, 3), dtype=np.uint8)).save(path)
    rows = json.loads(ok("predict", "--crop", *paths, "--artifact", artifacts("cpu-onnxruntime-fp32").path, "--json"))
    assert [row["image"] for row in rows] == [str(path) for path in paths]
    for row in rows:
        assert sum(row["probabilities"].values()) == pytest.approx(1.0)
        assert row["probabilities"][row["label"]] == row["score"]
    text = ok("predict", "--crop", paths[0], "--artifact", artifacts("cpu-onnxruntime-fp32").path)
    assert rows[0]["label"] in text


def test_predict_without_an_artifact_says_that_it_takes_the_prebuilt_one(tmp_path):
    Image.new("RGB", (64, 64), "gray").save(tmp_path / "face.png")
    done = resemote_edge("predict", "--crop", "face.png", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"using the prebuilt artifact {PREBUILT_NAME}\n"
    assert json.loads(done.stdout)[0]["artifact"] == PREBUILT_NAME
    assert [path.name for path in tmp_path.iterdir()] == ["face.png"]  # nothing is exported


def test_predict_says_which_runtimes_take_the_prebuilt_artifact(tmp_path):
    Image.new("RGB", (64, 64), "gray").save(tmp_path / "face.png")
    done = resemote_edge("predict", "--crop", "face.png", "--runtime", "pytorch", cwd=tmp_path)
    assert done.returncode == 1
    assert (
        "runtime pytorch cannot load the prebuilt artifact, which is for openvino, onnxruntime, native" in done.stderr
    )
    assert "pass --variant to export embedded weights for pytorch" in done.stderr


def test_predict_with_a_variant_exports_it_once(tmp_path):
    Image.new("RGB", (64, 64), "gray").save(tmp_path / "face.png")
    arguments = ("predict", "--crop", "face.png", "--variant", "nano", "--runtime", "onnxruntime")
    first = resemote_edge(*arguments, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "exporting the embedded weights to artifacts/resemotenet-nano-fer2013-onnx-fp32" in first.stderr
    again = resemote_edge(*arguments, cwd=tmp_path)
    assert "using artifacts/resemotenet-nano-fer2013-onnx-fp32" in again.stderr
    assert again.stdout == first.stdout


def test_bench_and_eval(artifacts, tiny_fer2013, tmp_path):
    artifact = artifacts("cpu-openvino-fp32").path
    quick = ["--min-seconds", "0", "--min-runs", "3", "--warmup", "1", "--threads", "1", "--batch", "1,2"]
    report = json.loads(
        ok("bench", artifact, "--runtime", "openvino", "--data", tiny_fer2013, *quick, "--json", "-o", tmp_path / "out")
    )
    assert [row["batch"] for row in report["rows"]] == [1, 2]
    assert report["rows"][0]["accuracy"]["samples"] == 14
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {*REPORT_FILES, "samples"}
    result = json.loads(
        ok("eval", artifact, "--data", tiny_fer2013, "--reference", artifacts("any-pytorch-fp32").path, "--json")
    )
    assert result["agreement"] == 1.0
    assert result["accuracy"] == report["rows"][0]["accuracy"]["accuracy"]
    assert "recall" in ok("eval", artifact, "--data", tiny_fer2013)


def test_data_inspect(tiny_fer2013):
    report = json.loads(ok("data", "inspect", tiny_fer2013, "--json"))
    assert report["totals"] == {"train": 14, "validation": 14, "test": 14}
    assert "disgust" in ok("data", "inspect", tiny_fer2013)


def test_checkpoint_inspect(checkpoint_path):
    facts = json.loads(ok("checkpoint", "inspect", checkpoint_path, "--json"))
    assert facts["width"] == 4
    assert facts["labels_source"] == "assumed"
    default = json.loads(ok("checkpoint", "inspect", "--json"))
    assert default["lineage"]["accuracy"]["fer2013_test"] == pytest.approx(0.70, abs=0.03)


def test_checkpoint_pack_and_expand(checkpoint_path, tmp_path):
    shutil.copy(checkpoint_path, tmp_path / "own.pt")
    (tmp_path / "own.json").write_text('{"name": "own", "storage": {"dtype": "float32"}}')
    said = json.loads(
        ok("checkpoint", "pack", "own.pt", "-o", "small.safetensors", "--dtype", "int8", "--json", cwd=tmp_path)
    )
    assert said["size_bytes"] == (tmp_path / "small.safetensors").stat().st_size < said["source_size_bytes"] / 4
    assert said["cards"] == ["small.json"]
    assert 0.0 < said["weight_error"]["max_abs"] < 0.1
    facts = json.loads(ok("checkpoint", "inspect", "small.safetensors", "--json", cwd=tmp_path))
    assert (facts["stored_dtype"], facts["stored_layout"]) == ("int8", "compact")
    text = ok("checkpoint", "pack", "own.pt", "-o", "half.safetensors", "--dtype", "float16", cwd=tmp_path)
    assert "wrote half.safetensors: float16, compact" in text
    assert "largest weight error" in text
    assert "pass --labels" in text  # the order was assumed
    said = json.loads(ok("checkpoint", "expand", "small.safetensors", "-o", "up.pt", "--json", cwd=tmp_path))
    assert said["layout"] == "published"
    exported = json.loads(ok("export", "small.safetensors", "--target", "onnx", "--json", cwd=tmp_path))
    assert exported["verification"]["status"] == "passed"


def test_variant_names_embedded_weights(tmp_path):
    made = json.loads(ok("export", "--variant", "nano", "--target", "pytorch", "--json", cwd=tmp_path))
    assert made["artifact"] == "artifacts/resemotenet-nano-fer2013-pytorch-fp32"
    default = ok("checkpoint", "inspect", "--json")
    assert ok("checkpoint", "inspect", "--variant", "base", "--json") == default
    Image.new("RGB", (64, 64), "gray").save(tmp_path / "face.png")
    taken = resemote_edge("predict", "--crop", "face.png", "--variant", "nano", "--runtime", "pytorch", cwd=tmp_path)
    assert "using artifacts/resemotenet-nano-fer2013-pytorch-fp32" in taken.stderr


def test_doctor_and_runtimes_tell_what_to_install():
    diagnosis = json.loads(ok("doctor", "--json"))
    assert set(diagnosis["runtimes"]) == {"pytorch", "onnxruntime", "openvino", "tensorrt", "native"}
    for name, found in diagnosis["runtimes"].items():
        if not found["available"]:
            assert any(line.startswith(f"runtime {name}: ") for line in diagnosis["advice"])
    assert "cores allowed" in ok("doctor")
    assert "openvino" in ok("runtimes")


def test_recipes_are_listed():
    listed = ok("export", "--list-recipes")
    assert [line.split()[0] for line in listed.splitlines()] == sorted(
        path.stem for path in (Path(__file__).resolve().parents[2] / "export").glob("*.toml")
    )


def test_version():
    import resemote_edge as package

    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert package.__version__ in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_export_leaves_nothing(number, tmp_path):
    command = [*COMMAND, "export", "--variant", "xs", "--target", "openvino", "-o", "out/artifact"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.strip() == "target openvino":  # the staging folder exists, but not yet the artifact
                process.send_signal(number)
                break
        rest = process.stderr.read()
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["onnx", "openvino", "pytorch", "tensorrt"])
def test_a_full_disk_ends_in_one_line_and_leaves_nothing(target, tmp_path):
    if target == "tensorrt":
        pytest.importorskip("tensorrt_rtx")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs more rights than this user has")
    try:
        done = resemote_edge("export", "--variant", "xs", "--target", target, "--precision", "fp16", cwd=small)
        left = list(small.iterdir())
    finally:
        subprocess.run(["umount", small], check=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert left == []


@pytest.mark.slow
def test_calibrate_then_export_to_int8_without_images(network, fer2013, tmp_path):
    import torch

    torch.save({"model_state_dict": network.state_dict()}, tmp_path / "own.pt")
    said = json.loads(ok("calibrate", "own.pt", "--data", fer2013, "--images", 32, "--json", cwd=tmp_path))
    assert said["path"] == "own.ranges.json"
    assert said["images"] == "32 images of fer2013 train"
    made = json.loads(ok("export", "own.pt", "--target", "onnx", "--precision", "int8", "--json", cwd=tmp_path))
    assert made["quantization"]["ranges"] == "recorded with the weights, on 32 images of fer2013 train"
    assert made["quantization"]["calibration"]["seed"] == 0
    assert made["gate"]["status"].startswith("not run: ")
    assert "accuracy gate not run" in ok("inspect", made["artifact"], cwd=tmp_path)


@pytest.mark.slow
def test_sensitivity_ranks_every_layer(checkpoint_path, fer2013, tmp_path):
    options = ["--data", fer2013, "--images", 32, "--target", "openvino", "-o", "out", "--json"]
    said = json.loads(ok("sensitivity", checkpoint_path, *options, cwd=tmp_path))
    assert len(said["layers"]) == 16
    assert said["scheme"] == find_recipe(default_recipe("openvino", "int8")).quantize.scheme
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"sensitivity.json", "sensitivity.png"}
    assert json.loads((tmp_path / "out" / "sensitivity.json").read_text()) == said
    assert resemote_edge("sensitivity", checkpoint_path, *options, cwd=tmp_path).returncode == 1  # they are there
