"""Writes a GGUF model of a given shape with random ternary weights.

Request: {"path", "type": a name of gguf.GGMLQuantizationType such as "TQ2_0",
"head_type", "shape": the fields of ternc.bench.models.Shape, "context"}. The
architecture is "llama", without sub-norms: that costs a peer nothing more than the
measured model has. The head is the embedding. Every layer gets its own copy of one
layer's weights.
"""

import json
import sys

import gguf
import numpy as np

_EPS = 1e-5


def main() -> None:
    request = json.load(sys.stdin)
    shape = request["shape"]
    writer = gguf.GGUFWriter(request["path"], "llama")
    _add_metadata(writer, shape, request["context"])
    weight_type = gguf.GGMLQuantizationType[request["type"]]
    head_type = gguf.GGMLQuantizationType[request["head_type"]]
    random = np.random.default_rng(0)
    hidden, vocab = shape["hidden"], shape["vocab"]
    embedding = 0.02 * random.standard_normal((vocab, hidden), np.float32)
    _add(writer, "token_embd.weight", embedding, head_type)
    _add(writer, "output_norm.weight", np.ones(hidden, np.float32))
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up")
    for name, rows, columns in _matrices(shape, (*names, "ffn_down")):
        trits = random.integers(-1, 2, (rows, columns)).astype(np.float32)
        data = gguf.quants.quantize(trits / np.float32(columns**0.5), weight_type)
        for layer in range(shape["layers"]):
            writer.add_tensor(f"blk.{layer}.{name}.weight", data, raw_dtype=weight_type)
    for layer in range(shape["layers"]):
        for name in ("attn_norm", "ffn_norm"):
            _add(writer, f"blk.{layer}.{name}.weight", np.ones(hidden, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print("{}")


def _add_metadata(writer: gguf.GGUFWriter, shape: dict, context: int) -> None:
    writer.add_block_count(shape["layers"])
    writer.add_context_length(context)
    writer.add_embedding_length(shape["hidden"])
    writer.add_feed_forward_length(shape["inner"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["kv_heads"])
    writer.add_key_length(shape["head_dim"])
    writer.add_value_length(shape["head_dim"])
    writer.add_rope_dimension_count(shape["head_dim"])
    writer.add_layer_norm_rms_eps(_EPS)
    writer.add_vocab_size(shape["vocab"])
    # There is no text to encode: speed is measured on token ids.
    writer.add_tokenizer_model("none")


def _matrices(shape: dict, names: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """(name, rows, columns), in the order of Shape.matrices."""
    width = shape["heads"] * shape["head_dim"]
    kv_width = shape["kv_heads"] * shape["head_dim"]
    hidden, inner = shape["hidden"], shape["inner"]
    sizes = [
        (width, hidden),
        (kv_width, hidden),
        (kv_width, hidden),
        (hidden, width),
        (inner, hidden),
        (inner, hidden),
        (hidden, inner),
    ]
    return [(name, *size) for name, size in zip(names, sizes, strict=True)]


def _add(
    writer: gguf.GGUFWriter,
    name: str,
    values: np.ndarray,
    kind: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32,
) -> None:
    writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)


if __name__ == "__main__":
    main()
