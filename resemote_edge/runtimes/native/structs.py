"""Structs of the C headers that ``resemote/runtime.h`` includes, member for member."""

import ctypes

__all__ = [
    "MAX_RANK",
    "BackendChoice",
    "BackendInfo",
    "Box",
    "ClassifierOptions",
    "Decision",
    "Frame",
    "Result",
    "SelfTestResult",
    "SessionInfo",
    "SessionOptions",
    "Tensor",
    "sized",
]

MAX_RANK = 8

_size, _text, _i32, _i64 = ctypes.c_size_t, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int64


class BackendInfo(ctypes.Structure):
    """``resemote_backend_info``."""

    _fields_ = [
        ("struct_size", _size),
        ("available", _i32),
        ("version", ctypes.c_char * 64),
        ("devices", ctypes.c_char * 256),
        ("reason", ctypes.c_char * 1024),
    ]


class BackendChoice(ctypes.Structure):
    """``resemote_backend_choice``."""

    _fields_ = [
        ("struct_size", _size),
        ("backend", ctypes.c_char * 64),
        ("device", ctypes.c_char * 64),
        ("file", ctypes.c_char * 256),
        ("skipped", ctypes.c_char * 1024),
    ]


class SessionOptions(ctypes.Structure):
    """``resemote_session_options``."""

    _fields_ = [
        ("struct_size", _size),
        ("backend", _text),
        ("device", _text),
        ("library", _text),
        ("cache_dir", _text),
        ("threads", _i32),
        ("log", ctypes.c_void_p),
        ("progress", ctypes.c_void_p),
        ("user_data", ctypes.c_void_p),
        ("workspace_mib", _i32),
    ]


class SessionInfo(ctypes.Structure):
    """``resemote_session_info``."""

    _fields_ = [
        ("struct_size", _size),
        ("artifact_name", _text),
        ("precision", _text),
        ("backend", _text),
        ("device", _text),
        ("file", _text),
        ("label_count", _i32),
        ("gives_probabilities", _i32),
        ("batch_min", _i64),
        ("batch_max", _i64),
        ("input_count", _i32),
        ("output_count", _i32),
        ("engine", _text),
    ]


class Tensor(ctypes.Structure):
    """``resemote_tensor``."""

    _fields_ = [
        ("name", _text),
        ("data", ctypes.c_void_p),
        ("size_bytes", _size),
        ("dtype", _i32),
        ("rank", _i32),
        ("dims", _i64 * MAX_RANK),
    ]


class SelfTestResult(ctypes.Structure):
    """``resemote_self_test_result``."""

    _fields_ = [
        ("struct_size", _size),
        ("crops", _i32),
        ("max_abs_diff", ctypes.c_double),
        ("limit", ctypes.c_double),
        ("top1_agreement", ctypes.c_double),
    ]


class Frame(ctypes.Structure):
    """``resemote_frame``."""

    _fields_ = [
        ("struct_size", _size),
        ("format", _i32),
        ("width", _i32),
        ("height", _i32),
        ("data", ctypes.c_void_p),
        ("stride_bytes", _i64),
        ("uv", ctypes.c_void_p),
        ("uv_stride_bytes", _i64),
        ("full_range", _i32),
        ("timestamp_ns", ctypes.c_uint64),
    ]


class Box(ctypes.Structure):
    """``resemote_box``."""

    _fields_ = [("x", _i32), ("y", _i32), ("width", _i32), ("height", _i32)]


class Decision(ctypes.Structure):
    """``resemote_decision``."""

    _fields_ = [("label", _i32), ("score", ctypes.c_float)]


class ClassifierOptions(ctypes.Structure):
    """``resemote_classifier_options``."""

    _fields_ = [("struct_size", _size), ("max_faces", _i32), ("queue_depth", _i32), ("edges", _i32)]


class Result(ctypes.Structure):
    """``resemote_result``."""

    _fields_ = [
        ("struct_size", _size),
        ("tag", ctypes.c_uint64),
        ("box_count", _size),
        ("dropped", ctypes.c_uint64),
        ("status", _i32),
        ("timestamp_ns", ctypes.c_uint64),
        ("pending", ctypes.c_uint64),
    ]


def sized(kind: type[ctypes.Structure]) -> ctypes.Structure:
    """Make an empty struct that carries its own size, as the library requires."""
    made = kind()
    made.struct_size = ctypes.sizeof(kind)
    return made
