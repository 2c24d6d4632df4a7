"""What other programs say of themselves, and how they are installed."""

import json
import sys
from pathlib import Path

import pytest

import ternc
from ternc.bench import peers
from ternc.bench.models import MODELS
from ternc.bench.process import run
from ternc.bench.subjects import BenchTest, Worker, parse_llama_bench

TESTS = (BenchTest("pp", 8), BenchTest("tg", 2))


def test_llama_bench_output():
    entry = {"n_prompt": 8, "n_gen": 0, "avg_ts": 1.5}
    other = {"n_prompt": 0, "n_gen": 2, "avg_ts": 2.5}
    text = json.dumps([other, entry], indent=2)
    assert parse_llama_bench(text, TESTS) == {"pp8": 1.5, "tg2": 2.5}
    with pytest.raises(ternc.Error, match="its output lacks tg2"):
        parse_llama_bench(json.dumps([entry], indent=2), TESTS)
    for wrong in ("", "[\n", "[\n1]", '[\n{"n_gen": 1}]'):
        with pytest.raises(ternc.Error, match="is not understood"):
            parse_llama_bench(wrong, TESTS)


def test_onnxruntime_as_a_peer(tmp_path, monkeypatch):
    # This environment has what the peer's own would be given.
    monkeypatch.setattr(peers, "_environment", lambda *arguments: Path(sys.executable))
    (worker,) = peers.make_peers("onnxruntime", MODELS["tiny"], tmp_path)
    sample = worker.measure(TESTS, threads=1)
    assert sorted(sample.rates) == ["pp8", "tg2"]
    assert all(rate > 0 for rate in sample.rates.values())
    # Two bits a weight of the projections and eight of the head, and a scale of f32
    # and a zero point of as many bits for every 128.
    shape = MODELS["tiny"].shape
    scales = 4 * (shape.linear_weights + shape.head_weights) / 128
    points = shape.linear_weights / 128 / 4 + shape.head_weights / 128
    weights = shape.linear_weights / 4 + shape.head_weights
    assert worker.file_bytes == pytest.approx(weights + scales + points, rel=0.05)


# Stands for llama-cpp-python: a token takes a millisecond alone, and a thousandth of
# that in a batch of more.
LLAMA_CPP = """
import json, os, time
calls = []
class llama_token:
    def __mul__(self, count):
        return lambda *ids: list(ids)
llama_token = llama_token()
class Options:
    pass
llama_backend_init = llama_model_default_params = lambda: None
llama_context_default_params = Options
llama_model_load_from_file = lambda path, options: os.path.exists(path)
def llama_init_from_model(model, options):
    calls.append(["init", options.n_ctx, options.n_threads, options.n_threads_batch])
    return True
llama_get_memory = lambda context: "memory"
llama_memory_clear = lambda memory, data: calls.append(["clear"])
llama_batch_get_one = lambda ids, count: count
def llama_decode(context, count):
    calls.append(["decode", count])
    time.sleep(0.001 if count == 1 else 0.000001 * count)
    return 0
def llama_synchronize(context):
    open("calls.json", "w").write(json.dumps(calls))
"""


def test_llama_cpp_as_a_peer(tmp_path, monkeypatch):
    (tmp_path / "llama_cpp.py").write_text(LLAMA_CPP)
    (tmp_path / "model.gguf").write_bytes(bytes(70))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    script = peers._WORKERS / "run_llama_cpp.py"
    path = tmp_path / "model.gguf"
    worker = Worker("llama.cpp", Path(sys.executable), script, {"path": str(path)}, path)
    tests = (BenchTest("pp", 700), BenchTest("tg", 3))
    rates = worker.measure(tests, threads=2).rates
    # Three tokens of a millisecond or more; a prompt of 700 in two batches.
    assert 0 < rates["tg3"] < 1000
    assert sorted(rates) == ["pp700", "tg3"]
    calls = json.loads((tmp_path / "calls.json").read_text())
    prompt = [["clear"], ["decode", 512], ["decode", 188]]
    generation = [["clear"], *[["decode", 1]] * 3]
    assert calls == [["init", 700, 2, 2], *prompt * 2, *generation * 2]
    assert worker.file_bytes == 70
    path.unlink()
    with pytest.raises(ternc.Error, match="llama.cpp cannot load it"):
        worker.measure(tests, threads=2)


def test_gguf_models(tmp_path):
    gguf = pytest.importorskip("gguf")
    path = tmp_path / "model.gguf"
    shape = MODELS["tiny"].shape
    request = {
        "path": str(path), "type": "TQ2_0", "head_type": "F16", "context": 256,
        "shape": shape.__dict__,
    }  # fmt: skip
    script = peers._WORKERS / "write_gguf.py"
    run([sys.executable, str(script)], stdin=json.dumps(request))
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    ternary = [t for t in tensors.values() if t.tensor_type.name == "TQ2_0"]
    assert sum(t.n_elements for t in ternary) == shape.linear_weights
    assert tensors["token_embd.weight"].tensor_type.name == "F16"
    assert len(tensors) == shape.layers * 9 + 2


def test_environments_are_made_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(peers, "_call", calls.append)
    for _ in range(2):
        (tmp_path / "onnxruntime-environment").mkdir(exist_ok=True)
        peers.make_peers("onnxruntime", MODELS["tiny"], tmp_path)
    assert [call[1:3] for call in calls] == [["-m", "venv"], ["-m", "pip"]]
    assert calls[1][-2:] == list(peers.PEERS["onnxruntime"])
    monkeypatch.setitem(peers.PEERS, "onnxruntime", ("onnxruntime==2",))
    peers.make_peers("onnxruntime", MODELS["tiny"], tmp_path)
    assert len(calls) == 4


def test_environments_that_cannot_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(peers.sys, "executable", "false")
    with pytest.raises(ternc.Error, match="false -m venv --clear: error: it failed"):
        peers.make_peers("llama.cpp", MODELS["tiny"], tmp_path)
