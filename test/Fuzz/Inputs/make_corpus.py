"""Writes the fuzzers' seeds: FOLDER/<Fuzzer>/*, small files of every kind.

Usage: make_corpus.py FIXTURES FOLDER
FIXTURES is a folder of ONNX models; those small enough become seeds too.
"""

import io
import pathlib
import sys

import numpy as np
import onnx
import onnx.parser
from onnx import TensorProto, helper
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors)

MAX_MODEL_BYTES = 32768  # the fuzzers' -max_len
HEADER = '<ir_version: 10, opset_import: ["" : 20, "f" : 1, "com.microsoft" : 1]>\n'
GRAPHS = {
    "function": "g (float[2] x) => (float[2] y) { [n] y = f.twice <k = 2> (x) }\n"
                '<domain: "f", opset_import: ["" : 20, "f" : 1]>\n'
                "twice <k> (a) => (c) { b = f.once (a)\n c = Add (b, a) }\n"
                '<domain: "f", opset_import: ["" : 20]>\nonce (a) => (b) { b = Neg (a) }',
    "subgraph": "g (bool c, float[2] x) => (float[2] y) { y = If (c) <then_branch = "
                "t () => (float[2] a) { a = Neg (x) }, else_branch = "
                "e () => (float[2] b) { b = Abs (x) }> }",
    "constants": "g (float[2] x) => (float[2] y) { a = Constant <value_floats = [1.0, 2.0]> ()\n"
                 "b = Constant <value = int64[1] {2}> ()\n c = ConstantOfShape (b)\n"
                 "d = Add (x, a)\n y = Mul (d, c) }",
    "shapes": "g (float[N, 4] x) => (float[M, K] y) { s = Shape (x)\n"
              "i = Constant <value_int = 0> ()\n n = Gather (s, i)\n"
              "z = Constant <value_ints = [0]> ()\n u = Unsqueeze (n, z)\n"
              "m = Constant <value_ints = [-1]> ()\n t = Concat <axis = 0> (u, m)\n"
              "y = Reshape <allowzero = 1> (x, t) }",
    "contrib": "g (float[B, S, 4] x, float[4] w) => (float[B, S, 4] y) { "
               "h, , , r = com.microsoft.SkipSimplifiedLayerNormalization <epsilon = 1e-5> "
               "(x, x, w)\n y = Add (h, r) }",
}


def tensor(kind, dims, **fields):
    return TensorProto(name="w", data_type=kind, dims=dims, **fields)


def make_tensors():
    """One initializer in every place that data can be, of types of every width."""
    yield "floats", tensor(TensorProto.FLOAT, [2], float_data=[1, 2])
    yield "bfloats", tensor(TensorProto.BFLOAT16, [2], int32_data=[16256, 16384])
    yield "doubles", tensor(TensorProto.DOUBLE, [2], double_data=[1, 2])
    yield "longs", tensor(TensorProto.INT64, [2], int64_data=[1, -2])
    yield "words", tensor(TensorProto.UINT32, [2], uint64_data=[1, 2])
    yield "bools", tensor(TensorProto.BOOL, [2], raw_data=b"\0\1")
    yield "nibbles", tensor(TensorProto.INT4, [3], int32_data=[0x21, 0x0f])
    yield "trits", tensor(TensorProto.INT2, [5], raw_data=b"\x4d\x01")
    yield "complex", tensor(TensorProto.COMPLEX64, [1], float_data=[1, 2])
    yield "strings", tensor(TensorProto.STRING, [1], string_data=[b"s"])
    yield "large", tensor(TensorProto.FLOAT, [300], raw_data=bytes(1200))
    external = tensor(TensorProto.FLOAT, [300], data_location=TensorProto.EXTERNAL)
    for key, value in ("location", "w.bin"), ("offset", "64"), ("length", "1200"):
        external.external_data.add(key=key, value=value)
    yield "external", external


def make_models(fixtures):
    for path in sorted(fixtures.glob("*/*/model.onnx")):
        if path.stat().st_size <= MAX_MODEL_BYTES:
            yield path.parent.name, path.read_bytes()
    for name, graph in GRAPHS.items():
        yield name, onnx.parser.parse_model(HEADER + graph).SerializeToString()
    for name, value in make_tensors():
        output = helper.make_tensor_value_info("w", value.data_type, list(value.dims))
        graph = helper.make_graph([], "g", [], [output], [value])
        opsets = [helper.make_opsetid("", 25)]
        yield name, helper.make_model(graph, opset_imports=opsets).SerializeToString()


def make_archives():
    arrays = {dtype: np.arange(6).reshape(2, 3).astype(dtype)
              for dtype in ("f2", "f4", "f8", "i1", "i8", "u2", "?", ">f4")}
    arrays["fortran"] = np.asfortranarray(arrays["f4"])
    arrays["empty"] = np.zeros((0, 3), np.float32)
    arrays["scalar"] = np.float32(1)
    for name, array in arrays.items():
        stream = io.BytesIO()
        np.save(stream, array)
        yield f"{name.replace('?', 'bool').replace('>', 'big-')}.npy", stream.getvalue()
    for save in np.savez, np.savez_compressed:
        stream = io.BytesIO()
        save(stream, **{f"layer/{key}": value for key, value in arrays.items()})
        yield f"{save.__name__}.npz", stream.getvalue()


def make_tokenizers():
    alphabet = sorted(set(pre_tokenizers.ByteLevel.alphabet()) | set("▁</w>#"))
    vocab = {token: index for index, token in enumerate(
        ["<unk>", "<s>", "<0x0A>"] + alphabet + ["He", "ll", "Hell", "##e"])}

    def make(merges=(("H", "e"), ("l", "l"), ("He", "ll")), **options):
        return Tokenizer(models.BPE(vocab=vocab, merges=list(merges), **options))

    gpt = make(ignore_merges=True)
    gpt.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"(?i:'s|'t)|\p{L}+|\p{N}{1,3}|[^\s\w]+|\s+(?!\S)|\s+"),
                             "isolated"),
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    gpt.decoder = decoders.ByteLevel()
    gpt.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    gpt.add_special_tokens([AddedToken("<|end|>", lstrip=True, rstrip=True, single_word=True)])
    yield "gpt", gpt

    llama = make(unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    llama.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁"), normalizers.NFC()])
    llama.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)])
    llama.add_tokens([AddedToken("Hello", normalized=True)])
    yield "llama", llama

    words = make(merges=[("H", "##e")], unk_token="<unk>", continuing_subword_prefix="##",
                 end_of_word_suffix="</w>")
    words.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    words.decoder = decoders.Metaspace(prepend_scheme="first")
    words.post_processor = processors.ByteLevel(trim_offsets=False)
    yield "words", words


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files:
        (folder / name).write_bytes(data)


def main(fixtures, folder):
    folder = pathlib.Path(folder)
    write(folder / "ImporterFuzzer", make_models(pathlib.Path(fixtures)))
    write(folder / "NpzFuzzer", make_archives())
    write(folder / "TokenizerFuzzer",
          ((name, tokenizer.to_str().encode()) for name, tokenizer in make_tokenizers()))


main(*sys.argv[1:])
