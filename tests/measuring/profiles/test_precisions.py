"""Words of engines for precisions, and what artifacts promise."""

import pytest

from resemote_edge.export.recipe import default_recipe
from resemote_edge.measuring.profiles.precisions import precision_of_kernel, precision_of_type, promised_precision


@pytest.mark.parametrize(
    ("kernel", "precision"),
    [
        ("brgemm_avx512_I8", "int8"),
        ("jit_gemm_i8", "int8"),
        ("brgconv_avx512_amx_1x1_bf16", "bf16"),
        ("brgconv_avx2_f32", "fp32"),
        ("gemm_acl_f16", "fp16"),
        ("QGemm", "int8"),
        ("QLinearConv", "int8"),
        ("MatMulIntegerToFloat", "int8"),
        ("DynamicQuantizeMatMul", "int8"),
        ("FusedGemm", None),
        ("Conv", None),
        ("undef", None),
        ("", None),
    ],
)
def test_a_kernel_tells_its_precision_or_does_not(kernel, precision):
    assert precision_of_kernel(kernel) == precision


def test_types_by_the_engines_names():
    assert [precision_of_type(name) for name in ("float", "float16", "bfloat16", "uint8", "int64")] == [
        "fp32",
        "fp16",
        "bf16",
        "int8",
        None,
    ]


def test_int8_promises_eight_bits_for_the_layers_it_lists_and_no_others(artifacts):
    passport = artifacts("cpu-onnxruntime-int8").passport
    assert promised_precision(passport, "fc1") == "int8"
    assert promised_precision(passport, "se.fc.0") == "fp32"


def test_small_weights_promise_nothing_about_arithmetic(artifacts):
    assert promised_precision(artifacts("cpu-onnxruntime-w8").passport, "fc1") == "fp32"
    assert promised_precision(artifacts("cpu-onnxruntime-fp16").passport, "fc1") == "fp16"


def test_a_hint_concerns_what_is_floating(artifacts):
    passport = artifacts(default_recipe("openvino", "int8")).passport
    assert promised_precision(passport, "fc1", "bf16") == "int8"
    assert promised_precision(passport, "se.fc.0", "bf16") == "bf16"
