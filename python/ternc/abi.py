"""include/tern/Runtime/ModelABI.h for ctypes: the same names, field by field."""

from __future__ import annotations

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)

import ml_dtypes
import numpy as np

ABI_VERSION = 8
MAX_RANK = 8

# TernDType, numbered as ONNX's TensorProto.DataType.
DTYPES = {
    1: np.dtype(np.float32),
    2: np.dtype(np.uint8),
    3: np.dtype(np.int8),
    4: np.dtype(np.uint16),
    5: np.dtype(np.int16),
    6: np.dtype(np.int32),
    7: np.dtype(np.int64),
    9: np.dtype(np.bool_),
    10: np.dtype(np.float16),
    11: np.dtype(np.float64),
    12: np.dtype(np.uint32),
    13: np.dtype(np.uint64),
    16: np.dtype(ml_dtypes.bfloat16),
}


class TernTensor(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("dims", c_int64 * MAX_RANK),
        ("rank", c_int32),
        ("dtype", c_int32),
    ]


class TernTensorSpec(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("dims", c_int64 * MAX_RANK),
        ("symbols", c_char_p * MAX_RANK),
        ("rank", c_int32),
        ("dtype", c_int32),
    ]


class TernLanguageModel(Structure):
    _fields_ = [
        ("vocab", c_int64),
        ("context", c_int64),
        ("cache_kind", c_int32),
        ("num_caches", c_int32),
        ("caches", c_void_p),
        ("input_ids", c_int32),
        ("attention_mask", c_int32),
        ("position_ids", c_int32),
        ("logits", c_int32),
    ]


class TernModel(Structure):
    _fields_ = [
        ("abi_version", c_uint32),
        ("num_inputs", c_int32),
        ("num_outputs", c_int32),
        ("num_variants", c_int32),
        ("name", c_char_p),
        ("producer", c_char_p),
        ("inputs", POINTER(TernTensorSpec)),
        ("outputs", POINTER(TernTensorSpec)),
        ("variants", c_void_p),
        ("language_model", POINTER(TernLanguageModel)),
        ("fetched", c_void_p),
        ("num_fetched", c_int64),
        ("tokenizer", c_void_p),
        ("tokenizer_size", c_int64),
        ("details", c_char_p),
    ]


class TernSampling(Structure):
    _fields_ = [
        ("temperature", c_double),
        ("top_k", c_int32),
        ("top_p", c_double),
        ("repetition_penalty", c_double),
        ("seed", c_uint64),
    ]


# The text comes as a pointer and a size: it need not end in a zero byte.
TernTextFn = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)

_FUNCTIONS = {
    "tern_open": (c_int, [c_int, POINTER(c_void_p)]),
    "tern_close": (None, [c_void_p]),
    "tern_last_error": (c_char_p, []),
    "tern_get_model": (POINTER(TernModel), []),
    "tern_run": (c_int, [c_void_p, POINTER(TernTensor), POINTER(TernTensor)]),
    "tern_free": (None, [c_void_p]),
    "tern_generate": (
        c_int,
        [
            c_void_p,
            c_char_p,
            c_size_t,
            c_int64,
            POINTER(TernSampling),
            TernTextFn,
            c_void_p,
        ],
    ),
}


def load(path: str) -> ctypes.CDLL:
    """Loads a model library and declares its functions.

    Raises OSError if it cannot be loaded and AttributeError if a function is
    missing.
    """
    library = ctypes.CDLL(path)
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
