"""Small random checkpoints, written as Hugging Face folders."""

import json
from dataclasses import dataclass, field

import ml_dtypes
import numpy as np
from reference import Linear, Model
from safetensors.numpy import save_file

BF16 = ml_dtypes.bfloat16


@dataclass
class Spec:
    """What varies between checkpoints. Widths are odd on purpose."""

    architecture: str = "BitNetForCausalLM"
    hidden: int = 18
    inner: int = 27
    heads: int = 3
    kv_heads: int = 1
    head_dim: int = 6
    vocab: int = 31
    layers: int = 2
    act: str = "relu2"
    theta: float = 500000.0
    eps: float = 1e-5
    tied: bool = True
    storage: str = "packed"  # packed, trits, master, or scaled (TriLM)
    quantization: dict | None = field(default_factory=dict)
    dtype: type = BF16  # of embeddings, norms, scales and float weights
    bias: bool = False  # in attention and feed-forward
    groups: int = 1  # scales a row, for storage "scaled"
    scale_rows: bool = True  # whether they differ between rows
    rope_scaling: dict = field(default_factory=dict)
    half_up: bool = False
    names: dict = field(default_factory=dict)  # renamed modules
    seed: int = 0


class Built:
    """A checkpoint in memory: `tensors` to write, `model` to compare with."""

    def __init__(self, spec):
        self.spec = spec
        self.rng = np.random.default_rng(spec.seed)
        self.tensors = {}
        self.trits = {}
        self.linears = {}
        self.norms = {}
        embedding = self._float("model.embed_tokens.weight", (spec.vocab, spec.hidden))
        for i in range(spec.layers):
            self._layer(f"layers.{i}")
        self._norm("norm", spec.hidden)
        head = embedding
        if not spec.tied:
            head = self._float("lm_head.weight", (spec.vocab, spec.hidden))
        self.config = self._config()
        self.model = Model(
            spec.heads, spec.kv_heads, spec.head_dim, spec.eps, spec.theta, spec.act,
            self.linears, self.norms, embedding, head, spec.layers, spec.rope_scaling,
        )  # fmt: skip

    def _float(self, name, shape):
        values = self.rng.normal(0, 1, shape).astype(self.spec.dtype)
        self.tensors[name] = values
        return values.astype(np.float32)

    def _layer(self, name):
        spec = self.spec
        width, kv_width = spec.heads * spec.head_dim, spec.kv_heads * spec.head_dim
        self._norm(f"{name}.input_layernorm", spec.hidden)
        self._norm(f"{name}.post_attention_layernorm", spec.hidden)
        if spec.architecture != "LlamaForCausalLM":
            self._norm(f"{name}.self_attn.attn_sub_norm", width)
            self._norm(f"{name}.mlp.ffn_sub_norm", spec.inner)
        self._linear(f"{name}.self_attn.q_proj", width, spec.hidden)
        self._linear(f"{name}.self_attn.k_proj", kv_width, spec.hidden)
        self._linear(f"{name}.self_attn.v_proj", kv_width, spec.hidden)
        self._linear(f"{name}.self_attn.o_proj", spec.hidden, width)
        self._linear(f"{name}.mlp.gate_proj", spec.inner, spec.hidden)
        self._linear(f"{name}.mlp.up_proj", spec.inner, spec.hidden)
        self._linear(f"{name}.mlp.down_proj", spec.hidden, spec.inner)

    def _stored_name(self, name):
        for plain, other in self.spec.names.items():
            name = name.replace(plain, other)
        return f"model.{name}"

    def _norm(self, name, width):
        values = self.rng.uniform(0.5, 1.5, width).astype(self.spec.dtype)
        self.tensors[self._stored_name(name) + ".weight"] = values
        self.norms[name] = values.astype(np.float32)

    def _linear(self, name, rows, columns):
        spec, stored = self.spec, self._stored_name(name)
        quantization = spec.quantization or {}
        linear = self._weight(stored, rows, columns)
        linear.half_up = spec.half_up
        if spec.bias:
            linear.bias = self._float(f"{stored}.bias", (rows,))
        if quantization.get("use_rms_norm"):
            self._norm(f"{name}.rms_norm", columns)
            linear.norm = self.norms.pop(f"{name}.rms_norm")
        self.linears[name] = linear

    def _weight(self, name, rows, columns):
        spec = self.spec
        skipped = (spec.quantization or {}).get("modules_to_not_convert") or []
        if any(part in name for part in skipped):
            return Linear("float", self._float(f"{name}.weight", (rows, columns)))
        if spec.storage == "master":
            values = self._float(f"{name}.weight", (rows, columns))
            return Linear("online", values)
        trits = self.rng.integers(-1, 2, (rows, columns)).astype(np.int8)
        self.trits[f"{name}.weight"] = trits
        if spec.storage == "scaled":
            return Linear("float", self._scaled(name, trits))
        self.tensors[f"{name}.weight"] = (
            pack(trits) if spec.storage == "packed" else trits.astype(spec.dtype)
        )
        auto = (spec.quantization or {}).get("linear_class") == "autobitlinear"
        scale = self.rng.uniform(0.1, 0.3) if auto else self.rng.uniform(3, 10)
        stored = np.array([scale], spec.dtype)
        self.tensors[f"{name}.weight_scale"] = stored
        return Linear("auto" if auto else "packed", trits, float(stored[0]))

    def _scaled(self, name, trits):
        rows, columns = trits.shape
        groups = self.spec.groups if columns % self.spec.groups == 0 else 1
        scale = self.rng.uniform(
            0.1, 0.3, (rows if self.spec.scale_rows else 1, groups)
        )
        scale = np.broadcast_to(
            np.repeat(scale, columns // groups, axis=1), trits.shape
        )
        values = (trits * scale).astype(self.spec.dtype)
        self.tensors[f"{name}.weight"] = values
        return values.astype(np.float32)

    def _config(self):
        spec = self.spec
        config = {
            "architectures": [spec.architecture],
            "vocab_size": spec.vocab,
            "hidden_size": spec.hidden,
            "intermediate_size": spec.inner,
            "num_hidden_layers": spec.layers,
            "num_attention_heads": spec.heads,
            "num_key_value_heads": spec.kv_heads,
            "head_dim": spec.head_dim,
            "hidden_act": spec.act,
            "max_position_embeddings": 64,
            "rms_norm_eps": spec.eps,
            "rope_theta": spec.theta,
            "tie_word_embeddings": spec.tied,
            "attention_bias": spec.bias,
            "mlp_bias": spec.bias,
            "bos_token_id": 1,
            "eos_token_id": [2, 3],
        }
        if spec.quantization is not None:
            config["quantization_config"] = {
                "quant_method": "bitnet",
                **spec.quantization,
            }
        if spec.rope_scaling:
            config["rope_scaling"] = spec.rope_scaling
        return config

    def write(self, folder, shards=1):
        """Writes the folder, spread over `shards` files, and returns it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.config))
        (folder / "tokenizer.json").write_text('{"model": {}}')
        if shards == 1:
            save_file(self.tensors, folder / "model.safetensors")
            return folder
        weight_map = {}
        for i in range(shards):
            file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
            part = {name: self.tensors[name] for name in list(self.tensors)[i::shards]}
            save_file(part, folder / file)
            weight_map.update(dict.fromkeys(part, file))
        index = {"metadata": {}, "weight_map": weight_map}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        return folder


def pack(trits):
    """transformers' packing, trit by trit."""
    rows, columns = trits.shape
    quarter = (rows + 3) // 4
    packed = np.zeros((quarter, columns), np.uint8)
    for row in range(rows):
        packed[row % quarter] |= (trits[row] + 1).astype(np.uint8) << (
            2 * (row // quarter)
        )
    return packed
