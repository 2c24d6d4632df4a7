"""The benchmark's command, on programs that only pretend, and on a tiny model."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import ternc
from ternc.bench import cli, plots
from ternc.bench.disturbance import Disturbance
from ternc.bench.machine import Peak
from ternc.bench.measure import Series, measure
from ternc.bench.models import MODELS, Model, Variant
from ternc.bench.process import run
from ternc.bench.rows import Measured, make_row
from ternc.bench.subjects import BenchTest, Sample

ROOT = Path(__file__).resolve().parents[2]
TESTS = (BenchTest("pp", 8), BenchTest("tg", 2))

# Stands for ternc: logs its calls and writes a program that answers as a compiled
# model does, at a speed that its form decides.
COMPILER = """#!{python}
import json, os, sys
source, output = sys.argv[1], sys.argv[sys.argv.index("-o") + 1]
with open("{log}", "a") as log:
    log.write(" ".join(sys.argv[2:]) + chr(10))
is_ternary = b"BitwiseAnd" in open(source, "rb").read()
with open(output, "w") as program:
    program.write('''{program}'''.replace("SPEED", "300" if is_ternary else "100"))
os.chmod(output, 0o755)
print("a warning", file=sys.stderr)
print(json.dumps({{"totals": {{"bytes": 123456}}}}), file=sys.stderr)
"""
PROGRAM = """#!{python}
import json, sys
if "--measure-machine" in sys.argv:
    threads = int(sys.argv[sys.argv.index("--threads") + 1])
    tiles = {{"int8_tile_gmac_per_s": 4000.0}} if threads == 2 else {{}}
    print(json.dumps({{"threads": threads, "read_gb_per_s": 40.0 * threads,
                       "int8_gmac_per_s": 500.0 * threads, "level": "fake", **tiles}}))
elif "--bench" in sys.argv:
    assert sys.argv[sys.argv.index("--runs") + 1] == "1"
    for name in sys.argv[sys.argv.index("--bench") + 1].split(","):
        print(json.dumps({{"name": name, "median": float(SPEED)}}))
else:
    print("Once upon a time there was a cat")
"""


def write_script(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def fake_compiler(tmp_path, monkeypatch):
    log = tmp_path / "calls"
    program = PROGRAM.format(python=sys.executable)
    text = COMPILER.format(python=sys.executable, log=log, program=program)
    monkeypatch.setenv("TERNC", str(write_script(tmp_path / "ternc", text)))
    return log


def bench(tmp_path, *arguments):
    """Runs the command; what it prints is for capsys."""
    return cli.main(
        ["--models", "tiny", "--tests", "pp8,tg2", "--cache", str(tmp_path / "cache"),
         *arguments]
    )  # fmt: skip


#--- The command, with a compiler that pretends ---------------------------------


def test_tables_and_json(tmp_path, fake_compiler, capsys):
    file = tmp_path / "out.json"
    arguments = ("--threads", "1,2", "--rounds", "2", "--json", str(file))
    assert bench(tmp_path, *arguments) == 0
    out = capsys.readouterr().out
    results = json.loads(file.read_text())
    assert results["format"] == 1
    assert results["tests"] == ["pp8", "tg2"]
    assert results["machine"]["cpus"] == os.cpu_count()
    assert [peak["read_gb_per_s"] for peak in results["peaks"]] == [40.0, 80.0]
    rows = results["rows"]
    assert [(row["variant"], row["threads"]) for row in rows] == [
        (variant, threads)
        for threads in (1, 2)
        for variant in ("ternary", "int8", "fp16")
    ]
    ternary = rows[0]
    assert ternary["linear_bytes"] == 123456
    assert ternary["file_bytes"] < 10_000 and ternary["peak_rss_bytes"] > 0
    assert ternary["first_token_s"] > 0
    found = ternary["tests"]["tg2"]
    assert found["tokens_per_s"] == 300 and found["runs"] == [300, 300]
    assert found["spread"] == 0
    assert found["ratio_to"] == {"ternary": 1, "int8": 3, "fp16": 3}
    # The head: 1024 x 256 in 16 bits; the cache at the mean position of a half: 2
    # layers of 2 x 64 keys and as many values in f32.
    num_bytes = 123456 + 1024 * 256 * 2 + 0.5 * 2 * 2 * 128 * 4
    assert found["bytes_per_token"] == num_bytes
    assert found["share_of_bandwidth"] == pytest.approx(num_bytes * 300 / 40e9)
    # 2 x (2 x 256² + 2 x 128 x 256 + 3 x 256 x 512) multiplications a token.
    prompt = ternary["tests"]["pp8"]
    assert prompt["gmac_per_s"] == pytest.approx(1_179_648 * 300 / 1e9)
    assert prompt["share_of_int8_peak"] == pytest.approx(1_179_648 * 300 / 500e9)
    assert "share_of_int8_peak" not in rows[2]["tests"]["pp8"]
    assert "share_of_tile_peak" not in prompt  # of one thread, measured without
    in_tiles = rows[3]["tests"]["pp8"]["share_of_tile_peak"]
    assert in_tiles == pytest.approx(1_179_648 * 300 / 4000e9)
    assert "at 500 GMAC/s (fake)" in out
    assert "at 1000 GMAC/s, 4000 in tiles (fake)" in out
    assert "| tiny  | ternary |" in out and "x fp16" in out

    # The same, from the file.
    assert cli.main(["--read", str(file)]) == 0
    assert capsys.readouterr().out == out


def test_programs_are_made_once(tmp_path, fake_compiler, capsys):
    arguments = ("--variants", "ternary,bf16", "--threads", "1", "--rounds", "1")
    for _ in range(2):
        assert bench(tmp_path, *arguments) == 0
    calls = fake_compiler.read_text().splitlines()
    assert len(calls) == 2 and all("--cpu=native" in call for call in calls)
    # Neither checkpoint nor ONNX file stays.
    for folder in (tmp_path / "cache").iterdir():
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["facts.json", folder.name]
    assert bench(tmp_path, *arguments, "--rebuild") == 0
    assert len(fake_compiler.read_text().splitlines()) == 4
    # Another compiler makes other programs.
    os.utime(os.environ["TERNC"], (1, 1))
    assert bench(tmp_path, *arguments) == 0
    assert len(fake_compiler.read_text().splitlines()) == 6
    # Those of the former one are gone.
    folders = [path.name[:-13] for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert sorted(folders) == ["tiny-bf16-2", "tiny-ternary-2"]


def test_large_models_are_extrapolated(tmp_path, fake_compiler, monkeypatch):
    large = Model("large", MODELS["tiny"].preset, measured_layers=(1, 2))
    monkeypatch.setitem(MODELS, "tiny", large)
    file = tmp_path / "out.json"
    arguments = ("--variants", "ternary", "--threads", "1", "--rounds", "2")
    assert bench(tmp_path, *arguments, "--json", str(file)) == 0
    (row,) = json.loads(file.read_text())["rows"]
    assert row["measured_layers"] == [1, 2]
    # Both pretend to be equally fast, so nothing can be said.
    assert row["tests"]["pp8"]["tokens_per_s"] is None
    notes = json.loads(file.read_text())["notes"]
    assert any("pp8" in note and "more layers took no more time" in note for note in notes)
    layers = [call.split(" ")[1] for call in fake_compiler.read_text().splitlines()]
    assert ["-1-" in layers[0], "-2-" in layers[1]] == [True, True]


def test_any_model_can_be_extrapolated(tmp_path, fake_compiler, monkeypatch, capsys):
    long = Model("tiny", MODELS["tiny"].preset.with_config(num_hidden_layers=9))
    monkeypatch.setitem(MODELS, "tiny", long)
    arguments = ("--variants", "ternary", "--threads", "1", "--rounds", "1")
    assert bench(tmp_path, *arguments, "--layers", "2,9") == 0
    layers = [call.split(" ")[1] for call in fake_compiler.read_text().splitlines()]
    assert ["-2-" in layers[0], "-9-" in layers[1]] == [True, True]
    assert "| tiny* | ternary |" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        bench(tmp_path, *arguments, "--layers", "2,10")
    assert "--layers: found 10; tiny has 9" in capsys.readouterr().err


def test_peer_commands(tmp_path, fake_compiler, capsys):
    peer = write_script(
        tmp_path / "llama-bench",
        f"#!{sys.executable}\n"
        "import json, sys\n"
        "assert sys.argv[1:3] == ['-m', 'the model.gguf'], sys.argv\n"
        "assert sys.argv[3:] == '-t 1 -r 1 -o json -p 8 -n 2'.split(), sys.argv\n"
        "print('build: 1')\n"
        "print(json.dumps([{'n_prompt': 8, 'n_gen': 0, 'avg_ts': 150.0},\n"
        "                  {'n_prompt': 0, 'n_gen': 2, 'avg_ts': 60.0}], indent=2))\n",
    )
    file = tmp_path / "out.json"
    command = f"other={peer} -m 'the model.gguf'"
    arguments = ("--variants", "ternary", "--threads", "1", "--rounds", "1")
    assert bench(tmp_path, *arguments, "--peer-command", command, "--json", str(file)) == 0
    ternary, other = json.loads(file.read_text())["rows"]
    assert other["variant"] == "other" and other["file_bytes"] is None
    assert other["tests"]["pp8"]["tokens_per_s"] == 150
    assert other["tests"]["tg2"]["ratio_to"] == {"ternary": 0.2}
    assert other["energy_j_per_token"] is None and other["first_token_s"] is None
    assert "| other" in capsys.readouterr().out


def test_peaks_that_cannot_be_measured_are_left_out(tmp_path, fake_compiler, capsys):
    compiler = Path(os.environ["TERNC"])
    compiler.write_text(compiler.read_text().replace("--measure-machine", "--no-such"))
    file = tmp_path / "out.json"
    arguments = ("--variants", "ternary", "--threads", "1", "--rounds", "1")
    assert bench(tmp_path, *arguments, "--json", str(file)) == 0
    results = json.loads(file.read_text())
    assert results["peaks"] == []
    assert any("peaks are not measured" in note for note in results["notes"])
    assert "share_of_bandwidth" not in results["rows"][0]["tests"]["tg2"]


#--- Faults ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "8b"], "found '8b'; expected some of tiny, 700m"),
        (["--models", ""], "expected names, each once"),
        (["--variants", "ternary,ternary"], "expected names, each once"),
        (["--tests", "pp512,xx"], "found 'xx'; expected ppN or tgN"),
        (["--tests", "pp4096"], "700m has a context of 2048"),
        (["--layers", "2"], "expected two numbers of layers, the lower first"),
        (["--layers", "0,2"], "expected two numbers of layers, the lower first"),
        (["--layers", "2,2"], "expected two numbers of layers, the lower first"),
        (["--threads", "0"], "expected numbers from 1 to 256"),
        (["--threads", "two"], "expected numbers from 1 to 256"),
        (["--rounds", "0"], "--rounds"),
        (["--peers", "vllm"], "expected some of onnxruntime, llama.cpp"),
        (["--peer-command", "llama-bench"], "expected NAME=CMD"),
        (["--peer-command", "name="], "expected NAME=CMD"),
        (["--peer-command", "a=b 'c"], "--peer-command"),
        (["--models", "700m,3b", "--peer-command", "a=b"], "found 2 --models"),
    ],
)
def test_faulty_command_lines(arguments, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["--models", "700m", *arguments])
    assert message in capsys.readouterr().err


def test_faults_of_files_and_programs(tmp_path, fake_compiler, monkeypatch, capsys):
    def fails_with(message, *arguments):
        capsys.readouterr()
        assert bench(tmp_path, "--variants", "ternary", "--threads", "1", *arguments) == 1
        assert message in capsys.readouterr().err

    fails_with("missing.json: error: No such file", "--read", str(tmp_path / "missing.json"))
    (tmp_path / "text").write_text("{")
    fails_with("error: not JSON", "--read", str(tmp_path / "text"))
    (tmp_path / "other").write_text('{"format": 2}')
    fails_with("not a result of this benchmark", "--read", str(tmp_path / "other"))
    fails_with("error: Not a directory", "--cache", str(tmp_path / "text" / "cache"))
    fails_with("nothing: error: cannot be run", "--peer-command", f"a={tmp_path}/nothing")
    fails_with("false: error: failed with status 1", "--peer-command", "a=false")
    fails_with("output is not understood", "--peer-command", "a=echo")
    compiler = Path(os.environ["TERNC"])
    compiler.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no good')\n")
    fails_with("no good")
    # What failed leaves nothing that passes for a program.
    compiler.write_text(compiler.read_text().replace("no good", "worse"))
    fails_with("worse")
    monkeypatch.setenv("TERNC", str(tmp_path / "gone"))
    fails_with("expected the path of the ternc command")


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        (ternc.Error("no more"), 1, "no more"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_was_measured_outlives_a_fault(
    fault, status, message, tmp_path, fake_compiler, monkeypatch, capsys
):
    def fail_at_two_threads(subjects, tests, threads, rounds, report):
        if threads == 2:
            raise fault
        return measure(subjects, tests, threads, rounds, report)

    monkeypatch.setattr("ternc.bench.session.measure", fail_at_two_threads)
    file = tmp_path / "out.json"
    arguments = ("--variants", "ternary", "--threads", "1,2,3", "--rounds", "1")
    assert bench(tmp_path, *arguments, "--json", str(file)) == status
    printed = capsys.readouterr()
    assert message in printed.err
    assert "| tiny  | ternary |       1 |" in printed.out
    results = json.loads(file.read_text())
    assert [row["threads"] for row in results["rows"]] == [1]
    # The file is as good as that of a run to its end.
    assert cli.main(["--read", str(file)]) == 0
    assert capsys.readouterr().out == printed.out


def test_a_result_that_cannot_be_written_is_found_first(tmp_path, fake_compiler, capsys):
    (tmp_path / "text").write_text("text")
    for file, fault in (
        (tmp_path, "Is a directory"),
        (tmp_path / "no" / "out.json", "No such file or directory"),
        (tmp_path / "text" / "out.json", "Not a directory"),
    ):
        assert bench(tmp_path, "--threads", "1", "--json", str(file)) == 1
        expected = f"{file}: error: cannot be written: {fault}"
        assert expected in capsys.readouterr().err
    assert not fake_compiler.exists()


def test_what_is_write_protected_is_found_first(tmp_path, fake_compiler, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old.json").write_text("{}")
    (folder / "old.json").chmod(0o400)
    if os.access(folder / "old.json", os.W_OK):
        pytest.skip("nothing is protected from root")

    def is_refused(file):
        capsys.readouterr()
        assert bench(tmp_path, "--threads", "1", "--json", str(file)) == 1
        return "cannot be written: Permission denied" in capsys.readouterr().err

    # It could be replaced, but is protected.
    assert is_refused(folder / "old.json")
    assert (folder / "old.json").read_text() == "{}"
    # It could be overwritten, but not replaced.
    (folder / "old.json").chmod(0o600)
    folder.chmod(0o500)
    assert is_refused(folder / "old.json") and is_refused(folder / "new.json")
    folder.chmod(0o700)
    assert not fake_compiler.exists()


def test_results_are_written_in_full_or_not_at_all(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    old, link = tmp_path / "folder" / "old.json", tmp_path / "link.json"
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to(old)
    cli._require_writable(link)
    assert old.read_text() == "old" and os.listdir(old.parent) == ["old.json"]

    def fail(path, text):
        with path.open("w") as file:
            file.write(text[: len(text) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(Path, "write_text", fail)
        with pytest.raises(ternc.Error, match="link.json: error: No space left"):
            cli._write(link, {"format": 1})
    assert old.read_text() == "old" and os.listdir(old.parent) == ["old.json"]
    cli._write(link, {"format": 1})
    assert json.loads(old.read_text()) == {"format": 1}
    assert link.is_symlink() and stat.S_IMODE(old.stat().st_mode) == 0o640
    assert os.listdir(old.parent) == ["old.json"]


def test_results_go_into_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    cli._require_writable(pipe)
    cli._write(pipe, {"format": 1})
    assert json.loads(os.read(reader, 1000)) == {"format": 1}
    os.close(reader)
    assert pipe.is_fifo()


def test_a_program_outlives_one_that_cannot_be_made(tmp_path, fake_compiler, capsys):
    arguments = ("--variants", "ternary", "--threads", "1", "--rounds", "1")
    assert bench(tmp_path, *arguments) == 0
    (folder,) = (tmp_path / "cache").iterdir()
    names = sorted(path.name for path in folder.iterdir())
    compiler = Path(os.environ["TERNC"])
    works = compiler.read_text()
    compiler.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no good')\n")
    assert bench(tmp_path, *arguments) == 1
    assert list((tmp_path / "cache").iterdir()) == [folder]
    assert sorted(path.name for path in folder.iterdir()) == names
    compiler.write_text(works + "# another")
    assert bench(tmp_path, *arguments) == 0
    (other,) = (tmp_path / "cache").iterdir()
    assert other != folder


def test_full_disk(tmp_path, fake_compiler, monkeypatch, capsys):
    usage = type("Usage", (), {"free": 100_000})
    monkeypatch.setattr("ternc.bench.build.shutil.disk_usage", lambda path: usage)
    assert bench(tmp_path, "--threads", "1") == 1
    assert "GB of free disk; making this model needs" in capsys.readouterr().err
    assert not fake_compiler.exists()


def test_models_beyond_the_memory_are_left_out(tmp_path, fake_compiler, monkeypatch):
    monkeypatch.setattr("ternc.bench.session._memory_of", _half_for_ternary)
    file = tmp_path / "out.json"
    arguments = ("--threads", "1", "--rounds", "1", "--json", str(file))
    assert bench(tmp_path, *arguments) == 0
    results = json.loads(file.read_text())
    assert [row["variant"] for row in results["rows"]] == ["ternary"]
    left_out = [note for note in results["notes"] if "left out" in note]
    assert [note.split(" is ")[0] for note in left_out] == ["tiny int8", "tiny fp16"]


def _half_for_ternary(model, variant, layers):
    return 0 if variant is Variant.TERNARY else 1e18


#--- The order of runs, and what a run takes -------------------------------------


class Recorder:
    """A subject that notes when it runs."""

    file_bytes = None

    def __init__(self, name, log, rates):
        self.name, self._log, self._rates = name, log, iter(rates)

    def measure(self, tests, threads):
        self._log.append(self.name)
        rate = next(self._rates)
        return Sample({t.name: rate for t in tests}, 1000, Disturbance(0.5, 0.0))

    def first_token(self, threads):
        return None


def test_forms_take_turns():
    log = []
    subjects = [Recorder("a", log, [1, 2, 3]), Recorder("b", log, [4, 5, 6])]
    series = measure(subjects, TESTS, 1, 3)
    assert log == ["a", "b", "a", "b", "a", "b"]
    assert [one.rates(TESTS[0]) for one in series] == [[1, 2, 3], [4, 5, 6]]


def test_rows_of_extrapolated_models():
    # A layer takes 2 s and all else 1 s: 3 s and 5 s for one and two, 21 s for ten.
    preset = MODELS["tiny"].preset.with_config(num_hidden_layers=10)
    model = Model("ten", preset, measured_layers=(1, 2))
    few, many = (
        Series(Recorder("x", [], []), 1, [Sample({"tg2": rate}, rss, Disturbance(0.5, 0))])
        for rate, rss in ((1 / 3, 100), (1 / 5, 150))
    )
    measured = Measured(
        model, Variant.TERNARY, (few, many), (10.0, 20.0), (BenchTest("tg", 2),)
    )
    row = make_row(measured, [measured], Peak(1, 40.0, 500.0, "fake"))
    assert row["tests"]["tg2"]["tokens_per_s"] == pytest.approx(1 / 21)
    assert row["peak_rss_bytes"] == 100 + 50 * 9
    assert row["linear_bytes"] == 100
    assert (row["runs"], row["disturbed_runs"], row["others"]) == (2, 2, 0.5)


def test_memory_is_the_programs_own():
    # The interpreter that starts it holds more.
    ballast = bytearray(200_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small = run([sys.executable, "-c", "import time; time.sleep(0.3)"])
    assert small.peak_rss < 100_000_000
    code = "b = bytearray(150_000_000); b[::4096] = b'x' * len(b[::4096])"
    large = run([sys.executable, "-c", f"{code}; import time; time.sleep(0.3)"])
    assert large.peak_rss > 150_000_000
    assert large.seconds >= 0.3
    assert len(ballast) == 200_000_000


def test_input_and_environment_reach_the_program():
    code = "import os, sys; print(sys.stdin.read() + os.environ['A'] + os.environ['PATH'])"
    done = run([sys.executable, "-c", code], {"A": "b"}, "text")
    assert done.stdout == f"textb{os.environ['PATH']}\n"


#--- Plots -----------------------------------------------------------------------


def test_plots(tmp_path, fake_compiler, capsys):
    pytest.importorskip("matplotlib")
    folder = tmp_path / "plots"
    arguments = ("--threads", "1", "--rounds", "1", "--plots", str(folder))
    assert bench(tmp_path, *arguments) == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["pp8.png", "pp8.svg", "tg2.png", "tg2.svg"]
    text = (folder / "tg2.svg").read_text()
    assert all(word in text for word in ("ternary", "fp16", "tokens/s", "tiny"))


def test_plots_need_matplotlib(tmp_path, fake_compiler, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert bench(tmp_path, "--threads", "1", "--plots", str(tmp_path / "plots")) == 1
    assert "pip install -r tools/bench/requirements.txt" in capsys.readouterr().err
    # It says so before it measures for an hour.
    assert not fake_compiler.exists()
    with pytest.raises(ternc.Error):
        plots.require_matplotlib()


#--- For real --------------------------------------------------------------------


def test_a_tiny_model_from_end_to_end(tmp_path, capsys):
    try:
        ternc.find_compiler()
    except ternc.Error as error:
        pytest.skip(str(error))
    file = tmp_path / "out.json"
    arguments = ("--variants", "ternary,fp16", "--threads", "1", "--rounds", "1")
    assert bench(tmp_path, *arguments, "--json", str(file)) == 0
    results = json.loads(file.read_text())
    ternary, fp16 = results["rows"]
    for row in (ternary, fp16):
        for test in row["tests"].values():
            assert test["tokens_per_s"] > 0
        assert row["first_token_s"] > 0
    # Trits of 2 bits or less, and floats of 16.
    weights = MODELS["tiny"].shape.linear_weights
    assert weights / 5 <= ternary["linear_bytes"] <= weights / 4
    assert fp16["linear_bytes"] == 2 * weights
    assert fp16["file_bytes"] - ternary["file_bytes"] > weights


def test_the_command_in_tools(tmp_path):
    command = ROOT / "tools" / "bench" / "bench"
    if not (ROOT / "build" / "venv" / "bin" / "python").exists():
        pytest.skip("tools/dev/setup.sh has made no build/venv")
    done = subprocess.run([command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--peer-command" in done.stdout
    lone = tmp_path / "tools" / "bench" / "bench"
    lone.parent.mkdir(parents=True)
    lone.write_text(command.read_text())
    lone.chmod(0o755)
    done = subprocess.run([lone], capture_output=True, text=True)
    assert done.returncode == 1 and "tools/dev/setup.sh makes it" in done.stderr
