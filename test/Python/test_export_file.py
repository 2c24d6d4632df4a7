"""What lies in the exported file, byte for byte."""

import numpy as np
import onnx
import pytest
from checkpoints import BF16, Built, Spec
from onnx import TensorProto, numpy_helper
from sessions import Decoder

from ternc import progress
from ternc.export import (
    ExportError,
    Options,
    WeightForm,
    checkpoint,
    export,
    writer,
)

EXTERNAL = TensorProto.EXTERNAL


@pytest.fixture
def built():
    return Built(Spec())


def initializers(path):
    return {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}


def trits_of(tensor):
    """The trits that a consumer of the file would find, by onnx's own decoder."""
    values = numpy_helper.to_array(tensor)
    if tensor.data_type != TensorProto.UINT8:
        return values.astype(np.int8)
    quarters = [(values >> shift) & 3 for shift in (0, 2, 4, 6)]
    return np.concatenate(quarters).astype(np.int8) - 1


@pytest.mark.parametrize("form", WeightForm)
def test_trits_are_the_checkpoints(built, form, tmp_path):
    export(built.write(tmp_path / "in"), tmp_path / "model.onnx", Options(form))
    tensors = initializers(tmp_path / "model.onnx")
    for name, trits in built.trits.items():
        found = trits_of(tensors[name])
        np.testing.assert_array_equal(found[: len(trits)], trits, err_msg=name)
        assert (found[len(trits) :] == -1).all()


def test_packed_weights_keep_their_bytes(built, tmp_path):
    export(
        built.write(tmp_path / "in"),
        tmp_path / "model.onnx",
        Options(WeightForm.PACKED),
    )
    tensors = initializers(tmp_path / "model.onnx")
    for name in built.trits:
        assert tensors[name].raw_data == built.tensors[name].tobytes()


def test_tied_embedding_is_stored_once_in_its_own_dtype(built, tmp_path):
    export(built.write(tmp_path / "in"), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    shape = [built.spec.vocab, built.spec.hidden]
    large = [tensor for tensor in model.graph.initializer if list(tensor.dims) == shape]
    assert [tensor.name for tensor in large] == ["model.embed_tokens.weight"]
    assert large[0].data_type == TensorProto.BFLOAT16
    readers = {node.op_type for node in model.graph.node if large[0].name in node.input}
    assert readers == {"Gather", "Cast"}


def test_one_activation_quantisation_serves_all_its_readers(built, tmp_path):
    export(built.write(tmp_path / "in"), tmp_path / "model.onnx")
    operators = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    # Before q/k/v, o, gate/up and down.
    assert operators.count("Round") == 4 * built.spec.layers


def test_metadata(built, tmp_path):
    export(built.write(tmp_path / "story"), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "tern.architecture": "BitNetForCausalLM",
        "tern.bos_token_id": "1",
        "tern.context": "64",
        "tern.eos_token_ids": "2,3",
    }
    assert model.graph.name == "story"
    assert model.ir_version == 13


def test_generation_config_goes_before_config(built, tmp_path):
    folder = built.write(tmp_path / "in")
    (folder / "generation_config.json").write_text('{"eos_token_id": 9}')
    export(folder, tmp_path / "model.onnx")
    entries = {
        e.key: e.value for e in onnx.load(tmp_path / "model.onnx").metadata_props
    }
    assert entries["tern.eos_token_ids"] == "9"
    assert entries["tern.bos_token_id"] == "1"


def test_tokenizer_travels_along(built, tmp_path):
    export(built.write(tmp_path / "in"), tmp_path / "model.onnx")
    assert (tmp_path / "tokenizer.json").read_text() == '{"model": {}}'
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in",
        "model.onnx",
        "tokenizer.json",
    ]


def test_export_into_the_checkpoint_itself(built, tmp_path):
    # Hugging Face's cache links to its files: such a link stays one.
    folder = built.write(tmp_path / "in")
    (folder / "tokenizer.json").rename(tmp_path / "blob")
    (folder / "tokenizer.json").symlink_to(tmp_path / "blob")
    export(folder, folder / "model.onnx")
    assert (folder / "tokenizer.json").is_symlink()
    assert (folder / "tokenizer.json").read_text() == '{"model": {}}'


def test_shards_make_the_same_file(built, tmp_path):
    export(built.write(tmp_path / "a" / "model"), tmp_path / "one.onnx")
    export(built.write(tmp_path / "b" / "model", shards=3), tmp_path / "three.onnx")
    assert (tmp_path / "one.onnx").read_bytes() == (
        tmp_path / "three.onnx"
    ).read_bytes()


@pytest.mark.parametrize("form", WeightForm)
def test_external_data(built, form, tmp_path):
    folder = built.write(tmp_path / "in")
    export(folder, tmp_path / "inline.onnx", Options(form))
    export(folder, tmp_path / "model.onnx", Options(form, external_data=True))
    model = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    external = [t for t in model.graph.initializer if t.data_location == EXTERNAL]
    assert {tensor.name for tensor in external} == {
        *built.trits,
        "model.embed_tokens.weight",
    }
    for tensor in external:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        assert entries["location"] == "model.onnx.data"
        assert int(entries["offset"]) % 4096 == 0
    logits = [
        Decoder(tmp_path / f"{name}.onnx").step([[1, 2, 3]])
        for name in ("inline", "model")
    ]
    np.testing.assert_array_equal(*logits)


def test_large_tensors_come_in_parts(built, tmp_path, monkeypatch):
    folder = built.write(tmp_path / "in")
    export(folder, tmp_path / "whole.onnx")
    monkeypatch.setattr(checkpoint, "_PART_ELEMENTS", 100)
    export(folder, tmp_path / "parts.onnx")
    whole, parts = tmp_path / "whole.onnx", tmp_path / "parts.onnx"
    assert whole.read_bytes() == parts.read_bytes()


@pytest.mark.parametrize("limit, external", [(10_000, True), (10**6, False)])
def test_weights_move_out_of_too_large_a_file(
    limit, external, built, tmp_path, monkeypatch
):
    monkeypatch.setattr(writer, "MAX_INLINE_BYTES", limit)
    folder = built.write(tmp_path / "in")
    export(folder, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx.data").exists() == external
    if external:
        with pytest.raises(ExportError, match="holds at most 10000"):
            export(folder, tmp_path / "model.onnx", Options(external_data=False))


def test_permissions_follow_the_umask(built, tmp_path):
    export(built.write(tmp_path / "in"), tmp_path / "model.onnx")
    (tmp_path / "plain").touch()
    assert (tmp_path / "model.onnx").stat().st_mode == (
        tmp_path / "plain"
    ).stat().st_mode


@pytest.mark.parametrize("embedding", [BF16, np.float32, np.float16])
@pytest.mark.parametrize("name", ["m", "mo", "mod", "mode"])
def test_inline_data_is_aligned_to_its_elements(embedding, name, tmp_path):
    # The length of the graph's name shifts whatever follows.
    built = Built(Spec(dtype=embedding, storage="trits"))
    export(
        built.write(tmp_path / name), tmp_path / "model.onnx", Options(WeightForm.FLOAT)
    )
    data = (tmp_path / "model.onnx").read_bytes()
    for tensor in initializers(tmp_path / "model.onnx").values():
        if tensor.name in built.tensors and len(tensor.raw_data) > 200:
            offset = data.index(tensor.raw_data)
            assert offset % np.dtype(embedding).itemsize == 0, tensor.name


@pytest.mark.parametrize("dtype", [BF16, np.float32, np.float16])
def test_master_weights_keep_their_bytes(dtype, tmp_path):
    online = {"linear_class": "autobitlinear", "quantization_mode": "online"}
    built = Built(Spec(quantization=online, storage="master", dtype=dtype))
    folder = built.write(tmp_path / "in")
    export(folder, tmp_path / "model.onnx", Options(WeightForm.FLOAT))
    tensors = initializers(tmp_path / "model.onnx")
    for name in built.linears:
        name = f"model.{name}.weight"
        assert tensors[name].raw_data == built.tensors[name].tobytes()
    operators = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    # Every projection's weight is rounded in the graph, besides the activations.
    assert operators.count("Round") == (7 + 4) * built.spec.layers


def test_progress(built, tmp_path, capsys, monkeypatch):
    folder = built.write(tmp_path / "in")
    export(folder, tmp_path / "model.onnx")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "_LOG_INTERVAL", 0)
    export(folder, tmp_path / "model.onnx", show_progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 + 7 * built.spec.layers
    assert all(line.startswith("ternc.export: ") for line in lines)
    shares = [int(line.split()[1].rstrip("%")) for line in lines]
    assert shares == sorted(shares) and shares[-1] == 100
