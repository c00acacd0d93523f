"""Explanations made up for tests, where every figure is chosen."""

from resemote_edge.benchmarks.explain.explanation import BETWEEN, Explanation, LayerTime
from resemote_edge.measuring.probes import MachineProbe, Peak

#: Reads 10 bytes in a nanosecond, multiplies and adds 100 times in fp32 and 400 times in int8.
MACHINE = MachineProbe(
    threads=2,
    memory_gb_per_s=10.0,
    memory_method="reading",
    peaks=(
        Peak(precision="fp32", gmac_per_s=100.0, engine="openvino 1", kernel="gemm_f32"),
        Peak(precision="bf16", gmac_per_s=None, note="this CPU has no bf16 arithmetic"),
        Peak(precision="int8", gmac_per_s=400.0, engine="openvino 1", kernel="gemm_i8"),
    ),
)


def layer(name, *, megabytes=0.0, mega_multiply_adds=0.0, times_floor=1.0, precision="fp32", **other):
    """A layer of as many fp32 weights; 1 MB takes 100 us to read, 10 million multiply-adds in fp32 take 100 us."""
    peak = MACHINE.gmac_per_s(precision)
    floor_us = max(megabytes * 100, mega_multiply_adds * 1000 / peak if peak else 0.0)
    settings = {
        "name": name,
        "time_us": floor_us * times_floor,
        "kernel": "kernel",
        "precision": precision,
        "promised": precision,
        "weights": int(megabytes * 1e6 / 4),
        "weight_bytes": int(megabytes * 1e6),
        "weight_bytes_read": int(megabytes * 1e6),
        "activation_bytes": 1000,
        "multiply_adds": int(mega_multiply_adds * 1e6),
        "floor_us": floor_us,
    }
    return LayerTime(**{**settings, **other})


def explanation(*layers, between_us=0.0, **other):
    """Of these layers and what lies between them."""
    between = LayerTime(name=BETWEEN, time_us=between_us, kernel="", weight_bytes=0, multiply_adds=0, floor_us=0.0)
    settings = {
        "artifact": "made-up",
        "precision": "fp32",
        "width": 4,
        "runtime": "openvino 1",
        "batch": 1,
        "threads": 2,
        "machine": MACHINE,
        "environment": {
            "cpu_model": "a CPU",
            "cores_allowed": 2,
            "cpu_features": ["avx2"],
            "os": "an OS",
            "kernel": "1",
            "packages": {},
            "gpus": [],
            "load_average_1m": 0.0,
            "git_commit": None,
        },
        "layers": (*layers, between),
    }
    return Explanation(**{**settings, **other})
