"""Bit layouts of ternary matrices. Each is written down here once."""

from __future__ import annotations

import numpy as np

_TRITS_PER_BYTE = 4
_SHIFTS = (0, 2, 4, 6)


def packed_rows(rows: int) -> int:
    """Byte rows that transformers' packing takes for `rows` rows of trits."""
    return -(-rows // _TRITS_PER_BYTE)


def pack_rows(trits: np.ndarray) -> np.ndarray:
    """Packs int8 trits `[N, K]` as transformers does: uint8 `[ceil(N/4), K]`.

    Row i * ceil(N/4) + j lies in byte row j, bits 2i and 2i + 1, as trit + 1.
    Rows of padding hold code 0.
    """
    rows, columns = trits.shape
    codes = np.zeros((_TRITS_PER_BYTE, packed_rows(rows), columns), np.uint8)
    codes.reshape(-1, columns)[:rows] = trits + 1
    return codes[0] | codes[1] << 2 | codes[2] << 4 | codes[3] << 6


def unpack_rows(packed: np.ndarray, rows: int) -> np.ndarray:
    """The inverse of pack_rows: int8 `[rows, K]`, padding dropped.

    Code 3 stands for no trit and comes out as 2, for the caller to reject.
    """
    codes = np.concatenate([packed >> shift & 3 for shift in _SHIFTS])
    return codes[:rows].astype(np.int8) - np.int8(1)


def holds_only_trits(packed: np.ndarray) -> bool:
    """Whether no two bits of pack_rows' bytes are code 3, which is no trit."""
    return not (packed & packed >> 1 & 0x55).any()


def pack_int2(trits: np.ndarray) -> np.ndarray:
    """Packs int8 trits as ONNX's INT2: uint8 `[ceil(size/4)]`.

    Two's complement, lowest bits first, over the flat row-major array.
    """
    codes = np.zeros(-(-trits.size // _TRITS_PER_BYTE) * _TRITS_PER_BYTE, np.uint8)
    codes[: trits.size] = trits.reshape(-1).view(np.uint8) & 3
    quads = codes.reshape(-1, _TRITS_PER_BYTE)
    return quads[:, 0] | quads[:, 1] << 2 | quads[:, 2] << 4 | quads[:, 3] << 6
