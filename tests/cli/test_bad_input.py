"""Every bad input, typed on the command line: one readable line, a non-zero exit code, nothing left behind."""

import json
import shutil
import signal
import warnings
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pytest
import torch
from made_up_reports import made_up_report, row
from PIL import Image

from resemote_edge.artifacts.prebuilt import prebuilt_detector_path, prebuilt_path
from resemote_edge.cli import cli, run
from resemote_edge.experiments.__main__ import experiments
from resemote_edge.labels import RESEMOTENET
from resemote_edge.measuring.samples import write_samples
from resemote_edge.models.checkpoint import save_checkpoint
from resemote_edge.models.random_network import random_network
from resemote_edge.models.stored_weights import pack_weights

USAGE, FAILURE, GATE = 2, 1, 3

DETECTOR = prebuilt_detector_path("yunet", 320, 192)


@dataclass
class Case:
    """A command line with {names} of things made by `world`, and what it must end in."""

    id: str
    command: str
    says: str
    code: int = FAILURE
    env: dict = field(default_factory=dict)


CASES = [
    Case("no checkpoint", "export nowhere.pt --target onnx", "nowhere.pt: no such checkpoint file"),
    Case("truncated checkpoint", "export {cut} --target onnx", "a zip archive that is cut short or damaged"),
    Case("truncated safetensors", "checkpoint inspect {cut_safetensors}", "not a whole safetensors file"),
    Case("text as checkpoint", "checkpoint inspect {text}", "text that begins with 'hello', not weights"),
    Case("code in checkpoint", "export {code} --target onnx", "would run code"),
    Case("other network", "checkpoint inspect {other}", "not a ResEmoteNet: conv1.weight"),
    Case("missing key", "export {missing} --target onnx", "missing 1 keys (fc2.bias (32,))"),
    Case("extra key", "export {extra} --target onnx", "1 keys too many (fc9.bias (2,))"),
    Case("wrong shape", "export {shape} --target onnx", "fc1.weight has shape (63, 128)"),
    Case("NaN weights", "export {nan} --target onnx", "fc3.weight holds NaN or Inf"),
    Case("bad label order", "export {good} --target onnx --labels happy,sad", "--labels has 2 names (happy, sad)"),
    Case("label twice", "export {good} --target onnx --labels a,b,c,d,e,f,a", "the label order repeats 'a'"),
    Case("empty label", "export {good} --target onnx --labels a,b,c,d,e,f,", "label '' cannot be shown"),
    Case("three logits without labels", "export {moods} --target onnx", "pass --labels with 3 names"),
    Case(
        "data of other classes",
        "export {moods} --target onnx --labels smile,frown,blank --data {fer}",
        "this network's smile, frown, blank",
    ),
    Case(
        "calibrate on other classes",
        "calibrate {moods} --labels smile,frown,blank --data {fer} -o {moods}.json",
        "fer2013 train: its classes are",
    ),
    Case(
        "unknown variant",
        "export --variant base2 --target onnx",
        "no weights of variant 'base2' are embedded; choose among",
    ),
    Case("bundle for an unknown board", "bundle {artifact} --board jetson", "choose one of jetson-nano"),
    Case("bundle without a board", "bundle {artifact}", "Missing option '--board'. Choose one of", USAGE),
    Case("bundle of nothing", "bundle --board jetson-nano", "Missing argument 'ARTIFACTS...'", USAGE),
    Case("bundle of a detector alone", f"bundle {DETECTOR} --board raspberry-pi-5", "a bundle needs a classifier"),
    Case(
        "bundle of w8 for a Nano",
        f"bundle {prebuilt_path()} --board jetson-nano",
        "it is w8, and the engine computes fp32, fp16 there",
    ),
    Case(
        "bundle for an engine that the board lacks",
        f"bundle {prebuilt_path()} --board raspberry-pi-5 --engine tensorrt",
        "board raspberry-pi-5 has no engine 'tensorrt'",
    ),
    Case(
        "bundle with headers that are not there",
        f"bundle {prebuilt_path()} --board linux-x86-64 --json-headers nowhere",
        "no nlohmann/json.hpp in nowhere",
    ),
    Case("two weights", "export {good} --variant s --target onnx", "both name weights; pass one of them"),
    Case("calibrate two weights", "calibrate {good} --variant s --data {fer}", "both name weights"),
    Case("sensitivity of two weights", "sensitivity {good} --variant s --data {fer}", "both name weights"),
    Case("inspect two weights", "checkpoint inspect {good} --variant s", "both name weights"),
    Case("predict with two weights", "predict {fine_image} --artifact {artifact} --variant s", "both name weights"),
    Case("bench two weights", "bench {artifact} --variant s", "both name weights"),
    Case("demo of an unknown variant", "demo --variant base2 -o out", "no weights of variant 'base2'"),
    Case("pack nothing", "checkpoint pack nowhere.pt -o a.safetensors --dtype int8", "no such checkpoint file"),
    Case("pack without a dtype", "checkpoint pack {good} -o a.safetensors", "Missing option '--dtype'", USAGE),
    Case("pack into four bits", "checkpoint pack {good} -o a.safetensors --dtype int4", "'int4' is not one of", USAGE),
    Case("pack into a .pt", "checkpoint pack {good} -o a.pt --dtype int8", "pass -o a.safetensors"),
    Case("pack onto weights", "checkpoint pack {good} -o {packed} --dtype int8", "exists; pass --force"),
    Case("pack onto itself", "checkpoint pack {packed} -o {packed} --dtype int8 --force", "is the checkpoint itself"),
    Case("pack without labels", "checkpoint pack {moods} -o a.safetensors --dtype int8", "pass --labels with 3 names"),
    Case("pack a broken card", "checkpoint pack {carded} -o a.safetensors --dtype int8", "not a valid model card"),
    Case("pack into a file", "checkpoint pack {good} -o {text}/a.safetensors --dtype int8", "is a file; pass a folder"),
    Case(
        "pack beyond float16", "checkpoint pack {large} -o a.safetensors --dtype float16", "beyond the range of float16"
    ),
    Case("expand into safetensors", "checkpoint expand {good} -o a.safetensors", "pass -o a.pt"),
    Case("expand onto weights", "checkpoint expand {packed} -o {good}", "exists; pass --force"),
    Case("int8 without a scale", "export {scaleless} --target onnx", "its fc1.weight.scale is missing"),
    Case("folder as checkpoint", "checkpoint inspect {precious}", "no such checkpoint file, found a folder"),
    Case("TorchScript", "checkpoint inspect {script}", "a TorchScript archive, which holds code"),
    Case("numbers as keys", "checkpoint inspect {numbered}", "expected a state dict"),
    Case("sparse weights", "checkpoint inspect {sparse}", "fc3.weight holds NaN or Inf"),
    Case("broken card", "export {carded} --target onnx", "not a valid model card: Expected `str | null`"),
    Case("no target", "export {good}", "pass --target or --recipe"),
    Case("unknown target", "export {good} --target coreml", "'coreml' is not one of", USAGE),
    Case("unknown precision", "export {good} --target onnx --precision int3", "'int3' is not one of", USAGE),
    Case("unknown output", "export {good} --target onnx --output scores", "'scores' is not one of", USAGE),
    Case("unknown recipe", "export {good} --recipe tpu-v9", "no such recipe; the ones that come with it are"),
    Case("bad recipe", "export {good} --recipe {recipe}", "unknown field `opsett`"),
    Case("no samples", "export {good} --recipe {no_samples}", "`$.verify.samples`"),
    Case("limit that is no number", "export {good} --recipe {nan_limit}", "`$.verify.max_abs_logit_diff`"),
    Case("empty batch range", "export {good} --recipe {batches}", "1 <= min <= opt <= max"),
    Case("recipe with a path as name", "export {good} --recipe {traversal}", "`$.name`"),
    Case("contradiction", "export {good} --recipe cpu-openvino-fp32 --target onnx", "contradicts recipe"),
    Case("missed gate", "export {good} --recipe {strict}", "nothing was exported", GATE),
    Case("fp32 on Turing", "export {good} --recipe {turing}", "no FP32 matrix product for Turing"),
    Case(
        "int8 on a Nano",
        "export {good} --recipe jetson-nano-tensorrt-fp16 --precision int8",
        "compute capability 5.3 has no int8 arithmetic",
    ),
    Case("int8 in PyTorch", "export {good} --target pytorch --precision int8", "it has fp32, fp16, w8"),
    Case("int8 without ranges", "export {bare} --target onnx --precision int8", "needs activation ranges"),
    Case("int8 calibrated on noise", "export {bare} --target onnx --precision int8 --data {fer}", "calibration images"),
    Case(
        "too few images",
        "export {good} --target onnx --precision fp16 --data {fer}",
        "7 images cannot show that less than 0.5",
    ),
    Case("no such layer", "export {good} --target onnx --precision w8 --keep-float conv9", "no layer is called conv9"),
    Case("floating anyway", "export {good} --target onnx --keep-float conv1", "cpu-onnxruntime-fp32 is all floating"),
    Case("no drop at all", "export {good} --target onnx --precision w8 --max-drop 0", "0.0 is not in the range", USAGE),
    Case("quantized fp32", "export {good} --recipe {quantized_fp32}", "belongs to precision int8 or w8"),
    Case("wrong scheme", "export {good} --recipe {wrong_scheme}", "scheme 'weights' is not for precision int8"),
    Case("unknown scheme", "export {good} --recipe {unknown_scheme}", "unknown quantization scheme 'int7'"),
    Case("sensitivity without data", "sensitivity {good}", "pass --data with the dataset"),
    Case("sensitivity of fp32", "sensitivity {good} --recipe cpu-openvino-fp32 --data {fer}", "quantizes nothing"),
    Case("calibrate without data", "calibrate {bare}", "pass --data with the dataset"),
    Case("ranges taken", "calibrate {good} --data {fer}", "tiny.ranges.json exists; pass --force"),
    Case("ranges of other weights", "export {ranged} --target onnx --precision int8", "recorded for other weights"),
    Case("destination taken", "export {good} --target onnx -o {artifact}", "exists; pass --force"),
    Case("destination precious", "export {good} --target onnx -o {precious} --force", "is no artifact"),
    Case("destination with notes", "export {good} --target onnx -o {noted} --force", "holds notes.txt"),
    Case("destination is here", "export {good} --target onnx -o . --force", "is the current folder"),
    Case("destination unwritable", "export {good} --target onnx -o /proc/nowhere/x", "/proc/nowhere"),
    Case("broken data for export", "export {good} --target onnx --data {bad_csv}", "fer.csv:3: expected 2304 pixels"),
    Case("no artifact", "inspect nowhere", "an artifact is a folder with a passport.json, found nothing there"),
    Case("not an artifact", "verify {precious}", "no passport.json in this folder"),
    Case("changed byte", "verify {changed}", "the file was changed"),
    Case("other schema", "inspect {future}", "passport schema 99"),
    Case("unknown runtime", "verify {artifact} --runtime tensorflow", "unknown runtime 'tensorflow'"),
    Case("unknown device", "verify {artifact} --device npu", "no runtime can run this artifact here"),
    Case("device not found", "verify {artifact} --runtime openvino --device npu", "device 'npu' was not found"),
    Case("wrong runtime", "verify {artifact} --runtime pytorch", "runtime pytorch loads graph"),
    Case("no threads", "verify {artifact} --threads 0", "0 is not in the range", USAGE),
    Case("bad batch", "bench {artifact} --batch 1,x", "whole numbers from 1 up"),
    Case("superscript batch", "bench {artifact} --batch ²", "whole numbers from 1 up"),
    Case("enormous batch", "bench {artifact} --batch 99999999", "beyond 4096"),
    Case("endless bench", "bench {artifact} --min-seconds inf", "finite number"),
    Case("bench without its data", "bench {artifact} --data nowhere.zip", "nowhere.zip: no such dataset"),
    Case("bench unknown device", "bench {artifact} --device npu", "nothing to measure here"),
    Case("bench unknown runtime", "bench {artifact} --runtime tensorflow", "unknown runtime 'tensorflow'"),
    Case(
        "bench broken data",
        "bench {artifact} --batch 1 --min-runs 1 --min-seconds 0 --data {text}",
        "cannot tell what dataset this is",
    ),
    Case("crop and detector", "predict --crop {fine_image} --detector none", "--crop says that there is nothing"),
    Case("unknown detector", "predict {fine_image} --detector haar", "unknown detector 'haar'; choose one of yunet"),
    Case("classifier as detector", "predict {fine_image} --detector {artifact}", "a face detector is needed here"),
    Case("detector to measure", f"bench {DETECTOR} --runtime onnxruntime", "a classifier of faces is needed here"),
    Case("detector to evaluate", f"eval {DETECTOR} --data a.csv", "a classifier of faces is needed here"),
    Case("detector to explain", f"bench explain {DETECTOR}", "a classifier of faces is needed here"),
    Case("drawing of many in a file", "predict {fine_image} {fine_image} --draw a.png", "pass a folder as --draw"),
    Case("drawing in a JPEG", "predict {fine_image} --draw a.jpg", "annotated pictures are written as PNG"),
    Case("drawing over the picture", "predict {fine_image} --draw {fine_image}", "is one of the pictures themselves"),
    Case("detector and checkpoint", "export a.pt --detector yunet --target onnx", "CHECKPOINT is for classifiers"),
    Case("detector and data", "export --detector yunet --target onnx --data a", "--data is for classifiers"),
    Case("size without detector", "export --target onnx --size 64x64", "pass --detector as well"),
    Case("no size", "export --detector yunet --target onnx --size big", "'big' is no size", code=2),
    Case("no image", "predict nowhere.png --artifact {artifact}", "nowhere.png: no such image file"),
    Case("text as image", "predict {text} --artifact {artifact}", "not a readable image"),
    Case("float image", "predict {float_image} --artifact {artifact}", "mode F have no stated range"),
    Case("one of several images", "predict {fine_image} {tiny_image} --artifact {artifact}", "tiny.png: 5x5 pixels"),
    Case("tiny image", "predict {tiny_image} --artifact {artifact}", "at least 8x8 pixels"),
    Case("no dataset", "data inspect nowhere", "nowhere: no such dataset"),
    Case("bad csv row", "data inspect {bad_csv}", "fer.csv:3: expected 2304 pixels (48x48), found 3"),
    Case("endless csv field", "data inspect {long_csv}", "long.csv:2: not a readable CSV row"),
    Case("empty folder", "data inspect {empty}", "empty: cannot tell what dataset this is; looked for fer2013: a .csv"),
    Case("empty folder as FER2013", "data inspect {empty} --kind fer2013", "empty: no images in any split"),
    Case("unknown kind", "data inspect {fer} --kind ckplus", "choose from auto, fer2013, ferplus, rafdb"),
    Case("not that kind", "data inspect {fer} --kind rafdb", "found no EmoLabel/list_patition_label.txt"),
    Case("votes that are none", "data inspect {fer} --labels-file {text}", "text.txt:1: expected the header Usage"),
    Case("votes for another kind", "data inspect {fer} --kind folder --labels-file {text}", "takes no labels file"),
    Case("missing class", "data inspect {no_disgust}", "no images of class disgust"),
    Case("unreadable image", "data inspect {bad_image}", "test/happy/0.png: not a readable image"),
    Case("report in the way", "bench {artifact} -o {reported}", "report.json exists; pass --force"),
    Case("evaluation in the way", "eval {artifact} --data {fer} -o {reported}", "eval.json exists; pass --force"),
    Case("a file as a folder", "bench {artifact} -o {text}", "is a file; pass a folder"),
    Case("demo in the way", "demo --data {fer} -o {reported}", "report.json exists; pass --force"),
    Case("eval without data", "eval {artifact}", "Missing option '--data'", USAGE),
    Case("eval broken reference", "eval {artifact} --data {fer} --reference nowhere", "nowhere: an artifact is"),
    Case(
        "hint for another runtime",
        "bench {artifact} --runtime onnxruntime --precision-hint bf16",
        "runtime onnxruntime knows no precision hint",
    ),
    Case("explain nothing", "bench explain nowhere", "nowhere"),
    Case(
        "explain without a profile",
        "bench explain {artifact} --runtime pytorch",
        "runtime pytorch gives no profile; choose one of openvino, onnxruntime",
    ),
    Case(
        "explain an unknown runtime",
        "bench explain {artifact} --runtime tensorflow",
        "runtime tensorflow gives no profile",
    ),
    Case(
        "explain with a hint for another runtime",
        "bench explain {artifact} --runtime onnxruntime --precision-hint bf16",
        "runtime onnxruntime knows no precision hint",
    ),
    Case("import nothing", "bench import nowhere.json", "nowhere.json: cannot be read as a benchmark report"),
    Case("import text", "bench import {text}", "not a benchmark report"),
    Case("pack nothing", "data pack nowhere.zip -o test.crops", "nowhere.zip: no such dataset"),
    Case("pack over a file", "data pack {fer} -o {text}", "exists; pass --force"),
    Case("no report again", "bench report nowhere", "nowhere: cannot be read as a benchmark report"),
    Case(
        "report again of a folder without one",
        "bench report {empty}",
        "report.json: cannot be read as a benchmark report",
    ),
    Case("report again of something else", "bench report {text}", "text.txt: not a benchmark report"),
    Case("report again of a contest", "bench report {contested}", "found the kind 'contest'"),
    Case(
        "report again of another schema", "bench report {report_newer}", "report schema 99, this version reads schema"
    ),
    Case("report again onto itself", "bench report {viewed}", "report.csv exists; pass --force"),
    Case("report again into a file", "bench report {viewed} -o {text}", "text.txt is a file; pass a folder as -o"),
    Case("report again with changed samples", "bench report {sampled} -o out", "not the samples that the report is of"),
    Case(
        "report again with no roofline", "bench report {plain} -o out --roofline gone.svg", "gone.svg: not a roofline"
    ),
    Case("report again with text as roofline", "bench report {plain} -o out --roofline {text}", "text.txt: not a roof"),
    Case("report again with a broken roofline", "bench report {roofed} -o out", "torn.svg: not a roofline"),
    Case("report again of nothing", "bench report", "Missing argument 'REPORT'", USAGE),
    Case("schema of a report", "bench report {plain} --schema", "cannot be combined with other arguments", USAGE),
    Case("explanation in the way", "bench explain {artifact} -o {explained}", "explanation.json exists; pass --force"),
    Case("explain into a file", "bench explain {artifact} -o {text}", "is a file; pass a folder"),
    Case("explain no faces", "bench explain {artifact} --batch 0", "0 is not in the range", USAGE),
    Case("unknown hint", "bench {artifact} --precision-hint fp8", "'fp8' is not one of 'bf16', 'tf32'", USAGE),
    Case("no contest", "experiments contest nowhere.toml -o out", "nowhere.toml: no such contest"),
    Case("contest with a misspelt key", "experiments contest {contest_key} -o out", "unknown field `threds`"),
    Case(
        "contest with an unknown peer",
        "experiments contest {contest_peer} -o out",
        "row a: unknown peer 'tpu'; choose one of",
    ),
    Case(
        "contest with an unknown recipe",
        "experiments contest {contest_recipe} -o out",
        "no such recipe; the ones that come with it",
    ),
    Case(
        "contest without that row",
        "experiments contest {contest_recipe} -o out --rows b",
        "has no row 'b'; choose among a",
    ),
    Case(
        "contest with unknown weights",
        "experiments contest {contest_weights} -o out",
        "row a: no weights of variant 'xxl' are embedded",
    ),
    Case(
        "contest with data for nothing",
        "experiments contest {contest_random} -o out --data {precious}",
        "whose accuracy means nothing",
    ),
    Case(
        "contest with a lost dataset",
        "experiments contest {contest_trained} -o out --data gone.zip",
        "gone.zip: no such dataset",
    ),
    Case(
        "contest with a lost environment",
        "experiments contest {contest_fer} -o out",
        "RESEMOTE_EDGE_FER_ENV=/gone: no bin/python there",
        env={"RESEMOTE_EDGE_FER_ENV": "/gone"},
    ),
    Case(
        "contest report in the way",
        "experiments contest {contest_recipe} -o {reported}",
        "report.json exists; pass --force",
    ),
    Case("contest without a destination", "experiments contest {contest_recipe}", "Missing option '-o'", USAGE),
    Case("no suite", "bench suite nowhere.toml -o out", "nowhere.toml: no such suite"),
    Case("suite without a destination", "bench suite {suite_good}", "Missing option '-o'", USAGE),
    Case("suite with a misspelt key", "bench suite {suite_key} -o out", "unknown field `batchs`"),
    Case("suite with an unknown scenario", "bench suite {suite_scenario} -o out", "unknown scenario 'cinema'"),
    Case("suite with an unknown recipe", "bench suite {suite_recipe} -o out", "no such recipe; the ones that come"),
    Case(
        "suite that excludes a typing error",
        "bench suite {suite_exclude} -o out",
        "batch '9' is not one of 1; correct it",
    ),
    Case("suite that measures nothing", "bench suite {suite_nothing} -o out", "it names nothing to measure"),
    Case("suite into a file", "bench suite {suite_good} -o {text}", "text.txt is a file; pass a folder as -o"),
    Case("suite into another's folder", "bench suite {suite_good} -o {reported}", "exists and is not of a suite"),
    Case("suite into nowhere", "bench suite {suite_good} -o /proc/nowhere/x", "/proc/nowhere"),
    Case("suite with data for nothing", "bench suite {suite_good} -o out --data {fer}", "asks for no accuracy"),
    Case("suite without its data", "bench suite {suite_accuracy} -o out --data gone.zip", "gone.zip: no such dataset"),
    Case(
        "suite with broken data",
        "bench suite {suite_accuracy} -o out --data {text}",
        "cannot tell what dataset this is",
    ),
    Case(
        "suite listed with broken data", "bench suite {suite_good} -o out --dry-run --data {fer}", "asks for no accur"
    ),
    Case("compare nothing", "bench compare nowhere {reported}", "nowhere: cannot be read as a benchmark report"),
    Case("compare what is no report", "bench compare {reported} {reported}", "not a benchmark report"),
    Case("compare with one", "bench compare {reported}", "Missing argument 'B'", USAGE),
    Case(
        "compare reports in a runtime",
        "bench compare {reported} {reported} --runtime openvino",
        "--runtime belongs to --live, which measures artifacts",
        USAGE,
    ),
    Case("compare reports into a folder", "bench compare {reported} {reported} -o out", "belongs to --live", USAGE),
    Case("compare reports for a while", "bench compare {reported} {reported} --seconds 9", "belongs to --live", USAGE),
    Case("compare by a margin of all", "bench compare {reported} {reported} --margin 1", "not in the range", USAGE),
    Case("compare by a margin of nothing", "bench compare {reported} {reported} --margin nan", "the margin is a frac"),
    Case("compare a report live", "bench compare --live {reported} {artifact}", "no passport.json in this folder"),
    Case("compare live for ever", "bench compare --live {artifact} {artifact} --seconds inf", "a finite number above"),
    Case("compare live for no time", "bench compare --live {artifact} {artifact} --seconds 0", "not in the ran", USAGE),
    Case("compare five restarts", "bench compare --live {artifact} {artifact} --restarts 5", "not in the range", USAGE),
    Case("compare in no runtime", "bench compare --live {artifact} {artifact} --runtime-b x", "unknown runtime 'x'"),
    Case(
        "compare in a runtime that cannot load it",
        "bench compare --live {artifact} {artifact} --runtime pytorch",
        "runtime pytorch loads graph",
    ),
    Case(
        "compare with a hint for another runtime",
        "bench compare --live {artifact} {artifact} --runtime onnxruntime --precision-hint bf16",
        "runtime onnxruntime knows no precision hint",
    ),
    Case(
        "comparison in the way",
        "bench compare --live {artifact} {artifact} -o {compared}",
        "comparison.json exists; pass --force",
    ),
    Case("compare into a file", "bench compare --live {artifact} {artifact} -o {text}", "is a file; pass a folder"),
    Case("unknown command", "exprot", "No such command 'exprot'", USAGE),
    Case("demo with a wrong variable", "demo -o out", "RESEMOTE_EDGE_FER2013=", env={"RESEMOTE_EDGE_FER2013": "/gone"}),
]


class _Code:
    def __reduce__(self):
        return (print, ("code ran",))


@pytest.fixture(scope="module")
def world(network, checkpoint_path, artifacts, tmp_path_factory):
    """Everything the command lines above speak of."""
    root = tmp_path_factory.mktemp("world")
    state = dict(network.state_dict())
    made = {"good": checkpoint_path, "artifact": artifacts("cpu-onnxruntime-fp32").path}

    def save(name, content):
        made[name] = root / f"{name}.pt"
        torch.save(content, made[name])

    save("code", {"model_state_dict": _Code()})
    save("other", {"features.0.weight": torch.zeros(64, 3, 7, 7)})
    save("missing", {key: value for key, value in state.items() if key != "fc2.bias"})
    save("extra", {**state, "fc9.bias": torch.zeros(2)})
    save("shape", {**state, "fc1.weight": state["fc1.weight"][:-1]})
    save("nan", {**state, "fc3.weight": state["fc3.weight"] * float("nan")})
    save("large", {**state, "fc3.weight": state["fc3.weight"] * 1e6})
    made["packed"] = root / "packed.safetensors"
    packed = pack_weights(state, "int8")
    save_checkpoint(packed, made["packed"], RESEMOTENET)
    made["scaleless"] = root / "scaleless.safetensors"
    del packed["fc1.weight.scale"]
    save_checkpoint(packed, made["scaleless"], RESEMOTENET)
    whole = checkpoint_path.read_bytes()
    write(made, root / "cut.pt", whole[: len(whole) // 2])
    from safetensors.torch import save as pack

    write(made, root / "cut_safetensors.safetensors", pack(state)[:-1000])
    write(made, root / "text.txt", b"hello")
    save("numbered", {0: torch.zeros(2)})
    save("sparse", {**state, "fc3.weight": (state["fc3.weight"] * float("inf")).to_sparse()})
    made["script"] = root / "script.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch announces TorchScript's retirement
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), made["script"])
    save("bare", {"model_state_dict": state})
    save("moods", random_network(4, num_classes=3).state_dict())
    save("ranged", state)
    made["ranged"].with_suffix(".ranges.json").write_bytes(checkpoint_path.with_suffix(".ranges.json").read_bytes())
    save("carded", {"model_state_dict": state})
    made["carded"].with_suffix(".json").write_text('{"training_data": ["x"]}')
    recipe = (
        'schema = 1\nname = "x"\ndescription = "X."\ntarget = "onnx"\nprecision = "fp16"\nopset = 17\n'
        "[verify]\nmax_abs_logit_diff = 1e-12\nmin_top1_agreement = 1.0\n"
    )
    write(made, root / "strict.toml", recipe.encode())
    write(made, root / "recipe.toml", recipe.replace("opset =", "opsett =").encode())
    for name, change in {
        "no_samples": ("[verify]", "[verify]\nsamples = 0"),
        "nan_limit": ("1e-12", "nan"),
        "batches": ("opset = 17", "opset = 17\nbatch = {min = 5, opt = 1, max = 2}"),
        "traversal": ('"x"', '"../../evil"'),
        "quantized_fp32": ("[verify]", '[quantize]\nscheme = "weights"\n[verify]'),
        "wrong_scheme": ('"fp16"\nopset = 17\n', '"int8"\nopset = 17\n[quantize]\nscheme = "weights"\n'),
        "unknown_scheme": ('"fp16"\nopset = 17\n', '"int8"\nopset = 17\n[quantize]\nscheme = "int7"\n'),
    }.items():
        write(made, root / f"{name}.toml", recipe.replace(*change).encode())
    turing = recipe.replace('"onnx"', '"tensorrt"').replace('"fp16"', '"fp32"') + (
        '[tensorrt]\nbuilder = "tensorrt-rtx"\ncompute_capabilities = ["7.5"]\n[batch]\nmax = 4\n'
    )
    write(made, root / "turing.toml", turing.encode())
    contest = (
        'schema = 1\nname = "x"\ndescription = "X."\nwidth = 4\nbatches = [1]\nthreads = [1]\nseconds = 0.0\n'
        '[[row]]\nname = "a"\nlabel = "A"\n'
    )
    write(made, root / "contest_peer.toml", (contest + 'peer = "tpu"\n').encode())
    write(made, root / "contest_random.toml", (contest + 'peer = "pytorch-eager"\n').encode())
    own = contest.replace("width = 4\n", "")
    trained = own + 'recipe = "cpu-openvino-int8"\nruntime = "openvino"\ncheckpoint = "s"\n'
    write(made, root / "contest_trained.toml", trained.encode())
    write(made, root / "contest_weights.toml", trained.replace('"s"', '"xxl"').encode())
    write(made, root / "contest_fer.toml", (own + 'peer = "fer-mini-xception"\n').encode())
    write(made, root / "contest_recipe.toml", (contest + 'recipe = "tpu-v9"\nruntime = "openvino"\n').encode())
    write(made, root / "contest_key.toml", (contest.replace("threads", "threds") + 'peer = "pytorch-eager"\n').encode())
    suite = f'schema = 1\nname = "x"\ndescription = "X."\nbatches = [1]\nartifacts = ["{made["artifact"]}"]\n'
    for name, text in {
        "good": suite,
        "key": suite.replace("batches", "batchs"),
        "scenario": suite + 'scenarios = ["cinema"]\n',
        "recipe": suite + '[[export]]\nvariant = "s"\nrecipe = "tpu-v9"\n',
        "exclude": suite + "[[exclude]]\nbatch = 9\n",
        "nothing": suite.split("artifacts")[0],
        "accuracy": suite + 'accuracy = {split = "test"}\n',
    }.items():
        write(made, root / f"suite_{name}.toml", text.encode())
    made["precious"] = root / "precious"
    made["precious"].mkdir()
    (made["precious"] / "thesis.txt").write_text("years of work")
    for name in ("changed", "future", "noted"):
        made[name] = root / name
        shutil.copytree(made["artifact"], made[name])
    raw = bytearray((made["changed"] / "model.onnx").read_bytes())
    raw[1000] ^= 1
    (made["changed"] / "model.onnx").write_bytes(raw)
    passport = json.loads((made["future"] / "passport.json").read_text())
    (made["future"] / "passport.json").write_text(json.dumps({**passport, "schema_version": 99}))
    (made["noted"] / "notes.txt").write_text("notes")
    made["reported"] = root / "reported"
    made["reported"].mkdir()
    for name in ("report.json", "eval.json"):
        (made["reported"] / name).write_text("{}")
    reports(made, root)
    made["explained"] = root / "explained"
    made["explained"].mkdir()
    (made["explained"] / "explanation.json").write_text("{}")
    made["compared"] = root / "compared"
    made["compared"].mkdir()
    (made["compared"] / "comparison.json").write_text("{}")
    made["tiny_image"] = root / "tiny.png"
    Image.new("RGB", (5, 5)).save(made["tiny_image"])
    made["fine_image"] = root / "fine.png"
    Image.new("RGB", (50, 50)).save(made["fine_image"])
    made["float_image"] = root / "float.tiff"
    Image.new("F", (50, 50)).save(made["float_image"])
    write(made, root / "long.csv", b'emotion,pixels,Usage\n0,"' + b"1" * 200_000 + b'",Training\n')
    made["long_csv"] = root / "long.csv"
    pixels = " ".join(["7"] * 2304)
    made["bad_csv"] = root / "fer.csv"
    made["bad_csv"].write_text(f"emotion,pixels,Usage\n0,{pixels},PublicTest\n1,1 2 3,PublicTest\n")
    made["empty"] = root / "empty"
    made["empty"].mkdir()
    made["fer"] = dataset(root / "fer")
    made["no_disgust"] = dataset(root / "no_disgust")
    shutil.rmtree(made["no_disgust"] / "train" / "disgust")
    made["bad_image"] = dataset(root / "bad_image")
    (made["bad_image"] / "test" / "happy" / "0.png").write_bytes(b"not a picture")
    return made


def reports(made, root):
    plain = made_up_report(rows=(row("a", "openvino", "offline", 1, 2.0, samples="samples/a.npz"),))
    (row_of_sampled,) = plain.rows
    speed = msgspec.structs.replace(row_of_sampled.speed, samples_sha256="0" * 64)
    sampled = msgspec.structs.replace(plain, rows=(msgspec.structs.replace(row_of_sampled, speed=speed),))
    for name, report in (("plain", plain), ("viewed", plain), ("sampled", sampled), ("roofed", plain)):
        made[name] = root / name
        made[name].mkdir()
        (made[name] / "report.json").write_bytes(report.to_json())
    (made["viewed"] / "report.csv").write_text("artifact")
    write_samples(made["sampled"] / "samples" / "a.npz", {"model_ns": np.arange(1, 9)})
    (made["roofed"] / "explain").mkdir()
    (made["roofed"] / "explain" / "torn.svg").write_text("<svg")
    write(made, root / "report_newer.json", msgspec.structs.replace(plain, schema=99).to_json())
    write(made, root / "contested.json", b'{"kind": "contest", "schema": 1}')


def write(made, path, content):
    made[path.stem] = path
    path.write_bytes(content)


def dataset(folder):
    rng = np.random.default_rng(1)
    for split in ("train", "validation", "test"):
        for label in ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"):
            (folder / split / label).mkdir(parents=True)
            Image.fromarray(rng.integers(0, 256, (48, 48), dtype=np.uint8)).save(folder / split / label / "0.png")
    return folder


def snapshot(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def type_in(monkeypatch, capfd):
    """Runs a command line by its entry point, in this process: with a new one each, these cases take minutes."""

    def type_in(arguments, folder, environment):
        monkeypatch.chdir(folder)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        on_termination = signal.getsignal(signal.SIGTERM)
        command, words = (experiments, arguments[1:]) if arguments[0] == "experiments" else (cli, arguments)
        try:
            with pytest.raises(SystemExit) as ended:
                run(command, command.name or "", words)
        finally:
            signal.signal(signal.SIGTERM, on_termination)
        return ended.value.code, *capfd.readouterr()

    return type_in


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input_ends_in_one_readable_line(case, world, tmp_path, type_in):
    if "turing" in case.command:
        pytest.importorskip("tensorrt_rtx")
    before = {name: snapshot(path) for name, path in world.items() if path.is_dir()}
    code, stdout, stderr = type_in([word.format(**world) for word in case.command.split()], tmp_path, case.env)
    assert code == case.code, stderr
    assert "Traceback" not in stderr
    assert case.says in stderr
    errors = [line for line in stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    # Besides the error, only progress (indented) and click's usage lines may appear.
    assert stdout == ""
    assert list(tmp_path.iterdir()) == []
    assert {name: snapshot(path) for name, path in world.items() if path.is_dir()} == before
