"""The decoder of BitNet and Llama models in NumPy, to compare exports with.

Written from the published formulas and transformers' source, one token sequence
at a time and without a cache: everything the exporter does another way. Shares
no code with it.
"""

import math
from dataclasses import dataclass, field

import numpy as np

F32 = np.float32


@dataclass
class Linear:
    """One projection; `kind` says how its layer computes.

    packed: y = (q . t) / (scale * s)     transformers' BitLinear
    auto:   y = ((q / s) . t + b) * scale transformers' AutoBitLinear, offline
    online: y = (q / s) . round(W)        transformers' AutoBitLinear, online
    float:  y = x . W
    """

    kind: str
    weight: np.ndarray  # trits for packed and auto, else float: [N, K]
    scale: float = 1.0
    bias: np.ndarray | None = None
    norm: np.ndarray | None = None  # of the RMSNorm in front, if any
    half_up: bool = False  # ties round up, as onebitllms trains

    def __call__(self, x):
        if self.norm is not None:
            x = rms_norm(x, self.norm, 1e-6)
        bias = F32(0) if self.bias is None else self.bias
        if self.kind == "float":
            return dot(x, self.weight) + bias
        codes, s = quantize(x, self.half_up)
        if self.kind == "packed":
            return dot(codes, self.weight) / (F32(self.scale) * s) + bias
        if self.kind == "auto":
            return (dot(codes / s, self.weight) + bias) * F32(self.scale)
        return dot(codes / s, absmean(self.weight, self.half_up)) + bias


@dataclass
class Model:
    """A checkpoint's contents, by transformers' names without `model.`."""

    heads: int
    kv_heads: int
    head_dim: int
    eps: float
    theta: float
    act: str
    linears: dict
    norms: dict
    embedding: np.ndarray
    head: np.ndarray
    layers: int
    rope_scaling: dict = field(default_factory=dict)

    def logits(self, ids):
        """f32 `[len(ids), vocab]` of a sequence that starts at position 0."""
        x = self.embedding[ids].astype(F32)
        for i in range(self.layers):
            name = f"layers.{i}"
            x = x + self._attention(name, self._norm(x, f"{name}.input_layernorm"))
            x = x + self._mlp(name, self._norm(x, f"{name}.post_attention_layernorm"))
        return dot(self._norm(x, "norm"), self.head.astype(F32))

    def _norm(self, x, name):
        return rms_norm(x, self.norms[name], self.eps)

    def _attention(self, name, x):
        name += ".self_attn"
        q, k, v = (self.linears[f"{name}.{p}_proj"](x) for p in "qkv")
        heads = []
        for h in range(self.heads):
            g = h * self.kv_heads // self.heads
            columns = slice(h * self.head_dim, (h + 1) * self.head_dim)
            shared = slice(g * self.head_dim, (g + 1) * self.head_dim)
            heads.append(self._head(q[:, columns], k[:, shared], v[:, shared]))
        y = np.concatenate(heads, axis=1)
        if f"{name}.attn_sub_norm" in self.norms:
            y = self._norm(y, f"{name}.attn_sub_norm")
        return self.linears[f"{name}.o_proj"](y)

    def _head(self, q, k, v):
        q, k = self._rotate(q), self._rotate(k)
        out = np.zeros_like(v, shape=(len(q), self.head_dim))
        for t in range(len(q)):
            scores = dot(q[t : t + 1], k[: t + 1])[0] / math.sqrt(self.head_dim)
            weights = np.exp(scores.astype(np.float64) - scores.max())
            out[t] = (weights / weights.sum()) @ v[: t + 1].astype(np.float64)
        return out

    def _rotate(self, x):
        """Turns (x[j], x[j + half]) as a complex number by position * frequency."""
        half = self.head_dim // 2
        frequencies = [self._frequency(j) for j in range(half)]
        angles = np.outer(np.arange(len(x), dtype=F32), np.array(frequencies, F32))
        turned = (x[:, :half] + 1j * x[:, half:]) * np.exp(
            1j * angles.astype(np.float64)
        )
        return np.concatenate([turned.real, turned.imag], axis=1).astype(F32)

    def _frequency(self, j):
        frequency = self.theta ** (-2 * j / self.head_dim)
        scaling = self.rope_scaling
        if not scaling:
            return frequency
        if scaling["rope_type"] == "linear":
            return frequency / scaling["factor"]
        # Llama 3: turns within the original context decide; between the two
        # limits the inverse of the factor is interpolated.
        turns = scaling["original_max_position_embeddings"] * frequency / (2 * math.pi)
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        share = min(max((turns - low) / (high - low), 0), 1)
        return frequency * (share + (1 - share) / scaling["factor"])

    def _mlp(self, name, x):
        name += ".mlp"
        gate = self.linears[f"{name}.gate_proj"](x)
        if self.act == "relu2":
            gate = np.maximum(gate, 0) ** 2
        else:
            gate = gate / (1 + np.exp(-gate))
        y = gate * self.linears[f"{name}.up_proj"](x)
        if f"{name}.ffn_sub_norm" in self.norms:
            y = self._norm(y, f"{name}.ffn_sub_norm")
        return self.linears[f"{name}.down_proj"](y)


def dot(x, weight):
    """x times the transposed weight, summed in f64 and rounded once."""
    return (x.astype(np.float64) @ weight.astype(np.float64).T).astype(F32)


def rms_norm(x, weight, eps):
    mean = (x.astype(F32) ** 2).mean(axis=-1, keepdims=True)
    return weight.astype(F32) * (x * (1 / np.sqrt(mean + F32(eps))))


def quantize(x, half_up=False):
    """Codes of -128..127 as floats, and the scale of each row."""
    s = F32(127) * (
        F32(1) / np.maximum(np.abs(x).max(axis=-1, keepdims=True), F32(1e-5))
    )
    codes = np.floor(x * s + F32(0.5)) if half_up else np.round(x * s)
    return np.clip(codes, -128, 127), s


def absmean(weight, half_up=False):
    """The float weight that online quantisation computes with."""
    weight = weight.astype(F32)
    s = F32(1) / np.maximum(
        np.abs(weight).mean(dtype=np.float64).astype(F32), F32(1e-5)
    )
    trits = np.floor(weight * s + F32(0.5)) if half_up else np.round(weight * s)
    return np.clip(trits, -1, 1) / s
