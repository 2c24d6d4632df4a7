"""Model over a stub library, and compile over a stub ternc."""

import ctypes
import shutil
import subprocess
import threading

import ml_dtypes
import numpy as np
import pytest
from conftest import ROOT

import ternc
from ternc import abi

SOURCE = ROOT / "test" / "Python" / "model_stub.c"
INPUTS = {
    "x": np.arange(6, dtype=np.float32).reshape(2, 3),
    "half": np.array([1.5, -2.25], ml_dtypes.bfloat16),
    "flag": np.array(True),
}


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Compiles the stub with the given flags; returns the library's path."""

    def compile_stub(*flags):
        path = tmp_path_factory.mktemp("stub") / "stub.so"
        include = f"-I{ROOT / 'include'}"
        command = [
            "cc",
            "-shared",
            "-fPIC",
            "-Wall",
            include,
            *flags,
            SOURCE,
            "-o",
            path,
        ]
        subprocess.run(command, check=True)
        return path

    return compile_stub


@pytest.fixture(scope="module")
def library(build):
    return build()


@pytest.fixture
def model(library):
    with ternc.Model(library, threads=3) as model:
        yield model


def test_layout_is_the_headers(library):
    class Entry(ctypes.Structure):
        _fields_ = [
            ("type", ctypes.c_char_p),
            ("field", ctypes.c_char_p),
            ("value", ctypes.c_size_t),
        ]

    table = (Entry * 100).in_dll(ctypes.CDLL(str(library)), "stub_layout")
    expected = {}
    for entry in table:
        if entry.type is None:
            break
        expected[entry.type.decode(), entry.field.decode()] = entry.value
    found = {}
    for name in {name for name, _ in expected}:
        structure = getattr(abi, name)
        found[name, ""] = ctypes.sizeof(structure)
        for field, _ in structure._fields_:
            found[name, field] = getattr(structure, field).offset
    assert found == expected


def test_constants_are_the_headers():
    header = (ROOT / "include/tern/Runtime/ModelABI.h").read_text()
    assert f"#define TERN_ABI_VERSION {abi.ABI_VERSION}\n" in header
    assert f"#define TERN_MAX_RANK {abi.MAX_RANK}\n" in header
    enum = header[header.index("enum TernDType {") :]
    assert enum[: enum.index("}")].count("TERN_") == len(abi.DTYPES)


def test_description(model):
    assert model.name == "stub"
    assert (model.vocab, model.context) == (1000, 512)
    assert [str(spec) for spec in model.inputs] == [
        "float32 [rows, 3]",
        "bfloat16 [?]",
        "bool []",
    ]
    assert model.outputs[3] == ternc.TensorSpec("info", np.dtype(np.int64), (2, 3))


def test_no_language_model(build):
    with ternc.Model(build("-DNO_LANGUAGE_MODEL")) as model:
        assert (model.vocab, model.context) == (None, None)


def test_run(model):
    results = model.run(INPUTS)
    np.testing.assert_array_equal(results["y"], 2 * INPUTS["x"])
    for name in ("half", "flag"):
        copy = results[f"{name}_copy"]
        assert copy.dtype == INPUTS[name].dtype and copy.shape == INPUTS[name].shape
        np.testing.assert_array_equal(copy, INPUTS[name])
    assert results["info"].tolist() == [[2, 1, 0], [1, 16, 9]]
    assert model._library.stub_live_tensors() == 0


def test_run_takes_views_and_empty_arrays(model):
    x = np.arange(12, dtype=np.float32).reshape(3, 4).T[::2]
    np.testing.assert_array_equal(model.run({**INPUTS, "x": x})["y"], 2 * x)
    empty = {**INPUTS, "x": np.zeros((0, 3), np.float32)}
    assert model.run(empty)["y"].shape == (0, 3)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("x", np.zeros((2, 3)), "found float64 [2, 3]; expected float32 [rows, 3]"),
        ("x", np.zeros((2, 4), np.float32), "found float32 [2, 4]; expected"),
        ("x", np.zeros(3, np.float32), "found float32 [3]; expected"),
        ("flag", np.array([True]), "found bool [1]; expected bool []"),
    ],
)
def test_run_checks_inputs(model, name, value, message):
    with pytest.raises(ternc.Error) as error:
        model.run({**INPUTS, name: value})
    assert str(error.value).startswith(f"input '{name}': {message}")


def test_run_checks_names(model):
    with pytest.raises(ternc.Error) as error:
        model.run({"x": INPUTS["x"], "z": INPUTS["x"]})
    assert str(error.value) == "found inputs ['x', 'z']; expected ['flag', 'half', 'x']"


def test_run_passes_the_librarys_message_on(model):
    with pytest.raises(ternc.Error, match="^13 rows bring bad luck$"):
        model.run({**INPUTS, "x": np.zeros((13, 3), np.float32)})


def test_generate(model):
    text = model.generate(
        "né",
        2,
        temperature=0.5,
        top_k=7,
        top_p=0.25,
        repetition_penalty=1.5,
        seed=2**64 - 1,
    )
    assert text == "0.5 7 0.25 1.5 18446744073709551615 3 3néné"


def test_generate_is_greedy_by_default(model):
    assert model.generate("a", 0) == "0 0 1 1 0 3 1"


def test_on_text_gets_the_pieces(model):
    pieces = []
    text = model.generate("ab", 3, on_text=pieces.append)
    assert pieces[1:] == ["ab"] * 3
    assert "".join(pieces) == text


def test_exception_of_on_text_ends_the_generation(model):
    pieces = []

    def on_text(piece):
        pieces.append(piece)
        if len(pieces) == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        model.generate("ab", 1000, on_text=on_text)
    assert len(pieces) == 2


def test_generate_passes_the_librarys_message_on(model):
    with pytest.raises(ternc.Error, match="^the prompt is empty$"):
        model.generate("")


def test_stream(model):
    assert list(model.stream("ab", 2, seed=5)) == ["0 0 1 1 5 3 2", "ab", "ab"]
    with pytest.raises(ternc.Error, match="^the prompt is empty$"):
        list(model.stream(""))


def test_leaving_a_stream_ends_its_thread(model):
    for piece in model.stream("ab", 10**12):
        break
    assert threading.active_count() == 1


def test_close_gives_the_session_back(library):
    model = ternc.Model(library)
    sessions = model._library.stub_open_sessions
    assert sessions() == 1
    model.close()
    model.close()
    assert sessions() == 0
    with pytest.raises(ternc.Error, match="^the model is closed$"):
        model.run(INPUTS)
    with pytest.raises(ternc.Error, match="^the model is closed$"):
        model.generate("a")


def test_open_fails(build):
    with pytest.raises(ternc.Error, match="^no memory for caches$"):
        ternc.Model(build("-DFAIL_OPEN"))


def test_other_abi_version(build):
    with pytest.raises(ternc.Error, match="found ABI version 99; expected 8"):
        ternc.Model(build("-DABI=99"))


def test_no_library(tmp_path):
    with pytest.raises(ternc.Error, match="none.so: error: not a model library"):
        ternc.Model(tmp_path / "none.so")
    empty = tmp_path / "empty.so"
    subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-o", empty], check=True)
    with pytest.raises(ternc.Error, match="not a model library: .*tern_open"):
        ternc.Model(empty)


@pytest.fixture
def fake_ternc(tmp_path, monkeypatch, library):
    """A ternc that records its arguments and delivers the stub."""
    script = tmp_path / "bin" / "ternc"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\n"
        f'printf "%s\\n" "$@" > {tmp_path}/arguments\n'
        'case "$1" in *bad.onnx) echo "bad.onnx: error: foreign" >&2; exit 1;; esac\n'
        # Replaced, not overwritten: the old one may be mapped.
        f'/bin/cp {library} "$3.new" && /bin/mv "$3.new" "$3.so"\n'
    )
    script.chmod(0o755)
    monkeypatch.delenv("TERNC", raising=False)
    monkeypatch.setenv("PATH", str(script.parent))
    return lambda: (tmp_path / "arguments").read_text().splitlines()


def test_compile(fake_ternc, tmp_path):
    path = tmp_path / "m.onnx"
    with ternc.compile(
        path, cpu="x86-64-v3", context=64, report=True, verbose=False, layout=None
    ) as model:
        assert model.name == "stub"
    assert fake_ternc() == [
        str(path), "-o", str(tmp_path / "m"), "--emit=lib", "--cpu=x86-64-v3",
        "--context=64", "--report",
    ]  # fmt: skip


def test_compile_to(fake_ternc, tmp_path):
    ternc.compile("m.onnx", tmp_path / "out.so", threads=2).close()
    assert fake_ternc()[2] == str(tmp_path / "out")
    assert ternc.compile("m.onnx", tmp_path / "out", emit="exe") == tmp_path / "out"
    assert fake_ternc()[3] == "--emit=exe"


def test_compile_error(fake_ternc):
    with pytest.raises(ternc.CompileError, match="^bad.onnx: error: foreign$") as error:
        ternc.compile("bad.onnx")
    assert error.value.exit_code == 1


def test_environment_names_the_compiler(fake_ternc, tmp_path, monkeypatch):
    other = shutil.copy(shutil.which("ternc"), tmp_path / "other")
    monkeypatch.setenv("TERNC", str(other))
    assert ternc.find_compiler() == str(other)
    monkeypatch.setenv("TERNC", str(tmp_path / "none"))
    with pytest.raises(ternc.Error, match="^TERNC: found '.*none'"):
        ternc.find_compiler()
