"""Emits the decoder of BitNet and Llama models with its KV cache.

Node for node, the decomposition is the one that PyTorch's exporter writes for
transformers' models with a dynamic cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from .bitlinear import BitLinear
from .checkpoint import Checkpoint, TensorInfo
from .config import ModelConfig
from .dense import DenseLinear
from .graph import FLOAT, INT64, Graph
from .rope import inverse_frequencies
from .storage import float_tensor
from .weights import Rounding, load_weight


@dataclass(frozen=True)
class _Sizes:
    """Sizes of one call: vectors of one i64 to build shapes of, and scalars."""

    batch: str  # [1]
    sequence: str  # [1]
    total: str  # [1]: past + sequence
    rows: str  # []: batch
    past: str  # []
    length: str  # []: sequence
    end: str  # []: total


@dataclass(frozen=True)
class _Shapes:
    """Shapes to bring projections, keys and values into, as vectors of i64."""

    split: str  # [batch, sequence, heads, head_dim] of a projection
    joined: str  # [batch, sequence, heads * head_dim]
    # Where query heads share keys and values: [batch, kv_heads, heads / kv_heads,
    # total, head_dim] to expand to, and [batch, heads, total, head_dim].
    repeated: tuple[str, str] | None


@dataclass(frozen=True)
class _Step:
    """Values that every layer of one call shares."""

    shapes: _Shapes
    mask: str  # f32 [batch, 1, sequence, total]: 0 or the lowest float
    cos: str  # f32 [batch, 1, sequence, head_dim]
    sin: str


class Decoder:
    """Builds the graph of one checkpoint; `build` is called once."""

    def __init__(
        self,
        graph: Graph,
        config: ModelConfig,
        checkpoint: Checkpoint,
        bit_linear: BitLinear,
        dense: DenseLinear,
        rounding: Rounding,
    ):
        self._graph = graph
        self._config = config
        self._checkpoint = checkpoint
        self._bit_linear = bit_linear
        self._dense = dense
        self._rounding = rounding

    def build(self) -> None:
        """Emits the whole model.

        Inputs: input_ids and position_ids [batch, seq], attention_mask
        [batch, total] (i64), past_key_values.i.key and .value
        [batch, kv_heads, past, head_dim] (f32). Outputs: logits
        [batch, seq, vocab] and present.i.key and .value (f32).
        """
        config, graph = self._config, self._graph
        ids = graph.input("input_ids", INT64, ["batch", "seq"])
        padding = graph.input("attention_mask", INT64, ["batch", "total"])
        positions = graph.input("position_ids", INT64, ["batch", "seq"])
        past = ["batch", config.num_kv_heads, "past", config.head_dim]
        for i in range(config.num_layers):
            graph.input(f"past_key_values.{i}.key", FLOAT, past)
            graph.input(f"past_key_values.{i}.value", FLOAT, past)
        graph.output("logits", FLOAT, ["batch", "seq", config.vocab_size])
        step = self._step(ids, padding, positions)
        embedding = self._embedding("model.embed_tokens.weight")
        with graph.scope("model.embed_tokens"):
            x = graph.node(
                "Cast", graph.node("Gather", embedding, ids, axis=0), to=FLOAT
            )
        for i in range(config.num_layers):
            x = self._layer(i, x, step)
        x = self._norm(x, config.hidden_size, config.rms_norm_eps, "model.norm")
        self._head(x, embedding)

    def _step(self, ids: str, padding: str, positions: str) -> _Step:
        with self._graph.scope("model.mask"):
            sizes = self._sizes(ids)
            mask = self._mask(padding, sizes)
        with self._graph.scope("model.shapes"):
            shapes = self._shapes(sizes)
        cos, sin = self._rotation(positions)
        return _Step(shapes, mask, cos, sin)

    def _sizes(self, ids: str) -> _Sizes:
        graph = self._graph
        cache = "past_key_values.0.key"
        batch = graph.node("Shape", cache, start=0, end=1)
        sequence = graph.node("Shape", ids, start=1, end=2)
        past = graph.node("Squeeze", graph.node("Shape", cache, start=2, end=3))
        length = graph.node("Squeeze", sequence)
        end = graph.node("Add", past, length)
        total = graph.node("Reshape", end, graph.ints(-1), allowzero=0)
        rows = graph.node("Squeeze", batch)
        return _Sizes(batch, sequence, total, rows, past, length, end)

    def _shapes(self, sizes: _Sizes) -> _Shapes:
        config, graph = self._config, self._graph
        rest, head_dim = graph.ints(-1), graph.ints(config.head_dim)

        def shape(*parts: str) -> str:
            return graph.node("Concat", sizes.batch, *parts, axis=0)

        split = shape(sizes.sequence, rest, head_dim)
        joined = shape(sizes.sequence, rest)
        repeats = config.num_heads // config.num_kv_heads
        if repeats == 1:
            return _Shapes(split, joined, None)
        heads, kv_heads = graph.ints(config.num_heads), graph.ints(config.num_kv_heads)
        expanded = shape(kv_heads, graph.ints(repeats), sizes.total, head_dim)
        return _Shapes(split, joined, (expanded, shape(heads, sizes.total, head_dim)))

    def _mask(self, padding: str, sizes: _Sizes) -> str:
        """f32 [batch, 1, sequence, total] to add to scores: each token sees the
        tokens up to itself, except those that the attention mask leaves out."""
        graph = self._graph
        rows = self._unsqueeze(self._unsqueeze(self._range(sizes.rows), 1, 2), 3)
        queries = graph.node("Add", self._range(sizes.length), sizes.past)
        queries = self._unsqueeze(self._unsqueeze(queries, 0, 1), 3)
        keys = self._unsqueeze(self._unsqueeze(self._range(sizes.end), 0, 1), 2)
        causal = graph.node("LessOrEqual", keys, queries)
        # transformers composes masks, starting from one that hides nothing.
        causal = graph.node("And", graph.constant(True, np.bool_), causal)
        attended = graph.node("Cast", padding, to=TensorProto.BOOL)
        pairs = self._pairs(rows, keys)
        attended = graph.node("GatherND", attended, pairs, batch_dims=0)
        visible = graph.node("And", causal, attended)
        shape = graph.node(
            "Concat", sizes.batch, graph.ints(1), sizes.sequence, sizes.total, axis=0
        )
        return graph.node(
            "Where",
            graph.node("Expand", visible, shape),
            graph.constant(0.0),
            graph.constant(np.finfo(np.float32).min),
        )

    def _range(self, end: str) -> str:
        zero, one = (self._graph.constant(i, np.int64) for i in (0, 1))
        return self._graph.node("Range", zero, end, one)

    def _pairs(self, rows: str, keys: str) -> str:
        """Indices (row, key) of the attention mask, broadcast to each other."""
        graph = self._graph
        shape = graph.node("Shape", graph.node("Max", rows, keys), start=0)
        rows = self._unsqueeze(graph.node("Expand", rows, shape), -1)
        keys = self._unsqueeze(graph.node("Expand", keys, shape), -1)
        return graph.node("Concat", rows, keys, axis=-1)

    def _rotation(self, positions: str) -> tuple[str, str]:
        """Cosine and sine of every position's angles, for all heads."""
        graph = self._graph
        with graph.scope("model.rotary_emb"):
            frequencies = inverse_frequencies(self._config)
            inv_freq = graph.tensor("model.rotary_emb.inv_freq", frequencies)
            position = graph.node("Cast", self._unsqueeze(positions, 2), to=FLOAT)
            half = graph.node("Mul", position, inv_freq)
            angles = graph.node("Concat", half, half, axis=-1)
            return (
                self._unsqueeze(graph.node("Cos", angles), 1),
                self._unsqueeze(graph.node("Sin", angles), 1),
            )

    def _layer(self, i: int, x: str, step: _Step) -> str:
        config, graph = self._config, self._graph
        module = f"model.layers.{i}"
        normed = self._norm(
            x, config.hidden_size, config.rms_norm_eps, f"{module}.input_layernorm"
        )
        attended = self._attention(i, normed, step)
        with graph.scope(module):
            x = graph.node("Add", x, attended)
        normed = self._norm(
            x,
            config.hidden_size,
            config.rms_norm_eps,
            f"{module}.post_attention_layernorm",
        )
        fed = self._mlp(f"{module}.mlp", normed)
        with graph.scope(module):
            return graph.node("Add", x, fed)

    def _attention(self, i: int, x: str, step: _Step) -> str:
        config, graph = self._config, self._graph
        module = f"model.layers.{i}.self_attn"
        width = config.num_heads * config.head_dim
        query = self._heads(x, config.num_heads, f"{module}.q_proj", step)
        key = self._heads(x, config.num_kv_heads, f"{module}.k_proj", step)
        value = self._heads(x, config.num_kv_heads, f"{module}.v_proj", step)
        with graph.scope(module):
            query = self._rotate(query, step)
            key = self._append(f"{i}.key", self._rotate(key, step))
            value = self._append(f"{i}.value", value)
            keys = graph.node("Transpose", self._repeat(key, step), perm=[0, 1, 3, 2])
            values = self._repeat(value, step)
            scores = graph.node("MatMul", query, keys)
            scores = graph.node("Mul", scores, graph.constant(config.head_dim**-0.5))
            scores = graph.node("Add", scores, step.mask)
            weights = graph.node("Softmax", scores, axis=-1)
            y = graph.node("MatMul", weights, values)
            y = graph.node("Transpose", y, perm=[0, 2, 1, 3])
            y = graph.node("Reshape", y, step.shapes.joined, allowzero=1)
        y = self._sub_norm(
            y, width, f"{module}.attn_sub_norm", f"{module}.inner_attn_ln"
        )
        return self._linear(
            y, config.hidden_size, width, f"{module}.o_proj", config.attention_bias
        )

    def _heads(self, x: str, heads: int, module: str, step: _Step) -> str:
        """A projection of `x`, split: [batch, heads, sequence, head_dim]."""
        config, graph = self._config, self._graph
        y = self._linear(
            x,
            heads * config.head_dim,
            config.hidden_size,
            module,
            config.attention_bias,
        )
        with graph.scope(module):
            y = graph.node("Reshape", y, step.shapes.split, allowzero=1)
            return graph.node("Transpose", y, perm=[0, 2, 1, 3])

    def _rotate(self, x: str, step: _Step) -> str:
        """Rotates the first half of each head against the second."""
        graph, half = self._graph, self._config.head_dim // 2
        low = self._slice_last(x, 0, half)
        high = self._slice_last(x, half, np.iinfo(np.int64).max)
        turned = graph.node("Concat", graph.node("Neg", high), low, axis=-1)
        return graph.node(
            "Add", graph.node("Mul", x, step.cos), graph.node("Mul", turned, step.sin)
        )

    def _append(self, name: str, new: str) -> str:
        """Appends to a cache and makes the result an output."""
        config = self._config
        present = f"present.{name}"
        self._graph.output(
            present,
            FLOAT,
            ["batch", config.num_kv_heads, "past + seq", config.head_dim],
        )
        return self._graph.node(
            "Concat", f"past_key_values.{name}", new, result=present, axis=-2
        )

    def _repeat(self, x: str, step: _Step) -> str:
        """Gives each query head its key or value head."""
        if step.shapes.repeated is None:
            return x
        expanded, merged = step.shapes.repeated
        x = self._graph.node("Expand", self._unsqueeze(x, 2), expanded)
        return self._graph.node("Reshape", x, merged, allowzero=1)

    def _mlp(self, module: str, x: str) -> str:
        config, graph = self._config, self._graph
        hidden, inner, bias = (
            config.hidden_size,
            config.intermediate_size,
            config.mlp_bias,
        )
        gate = self._linear(x, inner, hidden, f"{module}.gate_proj", bias)
        with graph.scope(f"{module}.act_fn"):
            if config.hidden_act == "relu2":
                gate = graph.node("Pow", graph.node("Relu", gate), graph.constant(2.0))
            else:
                gate = graph.node("Mul", gate, graph.node("Sigmoid", gate))
        up = self._linear(x, inner, hidden, f"{module}.up_proj", bias)
        with graph.scope(module):
            y = graph.node("Mul", gate, up)
        y = self._sub_norm(
            y, inner, f"{module}.ffn_sub_norm", f"{module}.ffn_layernorm"
        )
        return self._linear(y, hidden, inner, f"{module}.down_proj", bias)

    def _sub_norm(self, x: str, width: int, *modules: str) -> str:
        config = self._config
        if not config.sub_norms:
            return x
        return self._norm(x, width, config.rms_norm_eps, *modules)

    def _norm(self, x: str, width: int, eps: float, *modules: str) -> str:
        """RMSNorm by the weight of the first of `modules` that exists."""
        graph = self._graph
        info = self._checkpoint.get_float(
            (width,), *(f"{name}.weight" for name in modules)
        )
        with graph.scope(info.name.removesuffix(".weight")):
            square = graph.node("Pow", x, graph.constant(2.0))
            mean = graph.node("ReduceMean", square, graph.ints(-1), keepdims=1)
            root = graph.node("Sqrt", graph.node("Add", mean, graph.constant(eps)))
            normed = graph.node("Mul", x, graph.node("Reciprocal", root))
            weight = graph.tensor(info.name, self._checkpoint.read_f32(info))
            return graph.node("Mul", weight, normed)

    def _linear(
        self, x: str, rows: int, columns: int, module: str, has_bias: bool
    ) -> str:
        """A projection: ternary, unless the configuration leaves it as it is."""
        quantization = self._config.quantization
        bias = None
        if has_bias:
            info = self._checkpoint.get_float((rows,), f"{module}.bias")
            bias = self._checkpoint.read_f32(info)
        if quantization is not None and not quantization.converts(module):
            return self._dense_linear(x, rows, columns, module, bias)
        if quantization is not None and quantization.rms_norm_eps is not None:
            x = self._norm(x, columns, quantization.rms_norm_eps, f"{module}.rms_norm")
        weight = load_weight(
            self._checkpoint, module, rows, columns, quantization, self._rounding
        )
        with self._graph.scope(module):
            return self._bit_linear(x, weight, bias)

    def _dense_linear(
        self, x: str, rows: int, columns: int, module: str, bias: np.ndarray | None
    ) -> str:
        info = self._checkpoint.get_float((rows, columns), f"{module}.weight")
        with self._graph.scope(module):
            y = self._dense(x, info)
            if bias is None:
                return y
            return self._graph.node("Add", y, self._graph.tensor(f"{module}.bias", bias))

    def _embedding(self, name: str) -> str:
        config = self._config
        shape = (config.vocab_size, config.hidden_size)
        return self._float_tensor(self._checkpoint.get_float(shape, name))

    def _head(self, x: str, embedding: str) -> None:
        """Logits, by the embedding itself if the head is tied to it."""
        graph, config = self._graph, self._config
        if config.tied_head:
            self._checkpoint.ignore("lm_head.weight")
            matrix = embedding
        else:
            matrix = self._embedding("lm_head.weight")
        with graph.scope("lm_head"):
            matrix = graph.node("Cast", matrix, to=FLOAT)
            matrix = graph.node("Transpose", matrix, perm=[1, 0])
            graph.node("MatMul", x, matrix, result="logits")

    def _float_tensor(self, info: TensorInfo) -> str:
        read = self._checkpoint.read_parts
        return float_tensor(self._graph, info, lambda: read(info))

    def _unsqueeze(self, x: str, *axes: int) -> str:
        return self._graph.node("Unsqueeze", x, self._graph.ints(*axes))

    def _slice_last(self, x: str, begin: int, end: int) -> str:
        ints = self._graph.ints
        return self._graph.node("Slice", x, ints(begin), ints(end), ints(3), ints(1))
