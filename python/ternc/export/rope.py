"""Rotary frequencies, computed in f32 in transformers' order of operations."""

from __future__ import annotations

import numpy as np

from .config import ModelConfig, RopeScaling


def inverse_frequencies(config: ModelConfig) -> np.ndarray:
    """f32 `[head_dim / 2]`: radians that each pair turns by per position."""
    exponents = np.arange(0, config.head_dim, 2, np.int64).astype(np.float32)
    exponents /= np.float32(config.head_dim)
    frequencies = np.float32(1) / np.float32(config.rope_theta) ** exponents
    scaling = config.rope_scaling
    if scaling is None:
        return frequencies
    if scaling.kind == "linear":
        return frequencies / np.float32(scaling.factor)
    return _llama3(frequencies, scaling)


def _llama3(frequencies: np.ndarray, scaling: RopeScaling) -> np.ndarray:
    """Slows low frequencies by the factor, keeps high ones, blends between."""
    wavelengths = np.float32(2 * np.pi) / frequencies
    low_freq_wavelength = scaling.original_context / scaling.low_freq_factor
    high_freq_wavelength = scaling.original_context / scaling.high_freq_factor
    slowed = frequencies / np.float32(scaling.factor)
    smooth = np.float32(scaling.original_context) / wavelengths
    smooth -= np.float32(scaling.low_freq_factor)
    smooth /= np.float32(scaling.high_freq_factor - scaling.low_freq_factor)
    blended = (1 - smooth) * slowed + smooth * frequencies
    return np.where(
        wavelengths > low_freq_wavelength,
        slowed,
        np.where(wavelengths < high_freq_wavelength, frequencies, blended),
    ).astype(np.float32)
