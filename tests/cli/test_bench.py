"""The command: its documents, its table, its JSON; the engines are fakes, but for one test."""

from __future__ import annotations

import io
import json
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shizi.bench.ablation import Variant
from shizi.bench.measure import Engine
from shizi.bench.peers import Peer, Read
from shizi.bench.recording import Recorder
from shizi.bench.run import Opened
from shizi.cli.bench_run import BenchTools, evenly
from shizi.cli.bench_text import WIDTH
from shizi.cli.main import run
from shizi.cli.options import EngineOptions
from shizi.cli.progress import columns
from shizi.errors import ModelLoadFailed
from shizi.runtime.choose import Choice
from shizi.runtime.fake import FakeRuntime
from tests.bench.engines import Clock, FakeEngine, options

pytestmark = pytest.mark.alone

Capture = pytest.CaptureFixture[str]


@dataclass
class Fakes:
    """Engines that read whatever has a name in `seconds`."""

    seconds: dict[str, float] = field(default_factory=lambda: {"a": 1.0, "letter": 1.0, "receipt": 1.0, "screen": 1.0})
    varied: list[str] = field(default_factory=list)
    asked: list[EngineOptions] = field(default_factory=list)

    def tools(self) -> BenchTools:
        return BenchTools(
            self._open, self._vary, lambda: (Peer("other", _open_nothing, "not installed; pip install other"),)
        )

    def _open(self, engine: EngineOptions) -> AbstractContextManager[Opened]:
        self.asked.append(engine)
        recorder = Recorder(FakeRuntime({"": lambda batch: batch}))
        session = recorder.load(Path("ppocrv6-small-rec.onnx"), options())
        fake = FakeEngine(Clock(), self.seconds, session=session)
        return nullcontext(Opened(fake, recorder, Choice("openvino", "float32", ""), "general", ()))

    def _vary(self, _engine: EngineOptions, variant: Variant) -> AbstractContextManager[Engine]:
        self.varied.append(variant.label)
        if variant.runtime == "onnx":
            raise ModelLoadFailed("the runtime 'onnx' is not installed; install onnxruntime")
        return FakeEngine(Clock(), self.seconds)


def _open_nothing() -> Read:
    raise AssertionError("opened, though it is not installed")


def bench(*arguments: str | Path, fakes: Fakes | None = None) -> int:
    return run(["bench", *(str(argument) for argument in arguments)], (fakes or Fakes()).tools())


def picture(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(b"a file")
    return path


def test_with_nothing_given_it_draws_its_documents(capsys: Capture) -> None:
    assert bench("--rounds", "2") == 0
    out, err = capsys.readouterr()
    assert "3 documents drawn by the bench, 2 rounds after a warm-up" in out
    assert "letter" in out
    assert "recognize" in out
    assert "ppocrv6-small-rec" in out
    assert "One thing changed" not in out
    assert err == ""


def test_the_table_fits_and_its_columns_stand_below_each_other(tmp_path: Path, capsys: Capture) -> None:
    long = picture(tmp_path, "发票扫描件" * 9 + ".png")
    fakes = Fakes({long.stem: 1.0, "a": 1.0})
    assert (
        bench(long, picture(tmp_path, "a.png"), "--names", "--ablation", "--peers", "--rounds", "1", fakes=fakes) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert max(columns(line) for line in lines) <= WIDTH
    table = lines[lines.index("Pages") + 1 : lines.index("Pages") + 4]
    assert len({columns(line) for line in table}) == 1
    assert "1 发票扫描件" in table[1]
    assert "…" in table[1]


def test_ablation_and_peers_say_what_could_not_be_measured(capsys: Capture) -> None:
    fakes = Fakes()
    assert bench("--ablation", "--peers", "--rounds", "1", fakes=fakes) == 0
    out = capsys.readouterr().out
    assert {"squeeze off", "streams off", "openvino bfloat16", "onnx float32"} <= set(fakes.varied)
    assert "the runtime 'onnx' is not installed; install onnxruntime" in " ".join(out.split())
    assert "not installed; pip install other" in out


def test_documents_are_not_named_unless_asked_for(tmp_path: Path, capsys: Capture) -> None:
    secret, figures = picture(tmp_path, "a.png"), tmp_path / "figures.json"
    renamed = secret.rename(tmp_path / "secret.png")
    fakes = Fakes({"secret": 1.0})
    assert bench(renamed, "--json", figures, "--rounds", "1", fakes=fakes) == 0
    assert "secret" not in capsys.readouterr().out + figures.read_text()
    assert json.loads(figures.read_text())["documents"][0]["name"] == "document 1"
    assert bench(renamed, "--json", figures, "--rounds", "1", "--names", fakes=fakes) == 0
    assert json.loads(figures.read_text())["documents"][0]["name"] == "1 secret.png"
    assert str(tmp_path) not in figures.read_text()


def test_a_damaged_document_is_left_out_and_told(tmp_path: Path, capsys: Capture) -> None:
    good, bad = picture(tmp_path, "a.png"), picture(tmp_path, "b.png")
    assert bench(good, bad, "--rounds", "1") == 1
    out, err = capsys.readouterr()
    assert err == "shizi: document 2: it is damaged (CORRUPT_DOCUMENT)\n"
    assert "1 document, 1 round" in out


def test_nothing_readable_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    assert bench(picture(tmp_path, "b.png"), "--rounds", "1") == 66
    assert "nothing to measure" in capsys.readouterr().err
    assert bench(tmp_path / "empty" / "*.png") == 66
    (tmp_path / "empty").mkdir()
    assert bench(tmp_path / "empty") == 66
    assert "no image or PDF in" in capsys.readouterr().err


def test_standard_input_cannot_be_read_twice(capsys: Capture) -> None:
    assert bench("-") == 2
    assert "give files instead of -" in capsys.readouterr().err


def test_a_folder_is_limited_evenly(tmp_path: Path, capsys: Capture) -> None:
    for number in range(9):
        picture(tmp_path, f"{number}.png")
    fakes = Fakes({str(number): 1.0 for number in range(9)})
    assert bench(tmp_path, "--limit", "3", "--names", "--rounds", "1", fakes=fakes) == 0
    out, err = capsys.readouterr()
    assert "3 of 9 documents are measured" in err
    assert [name in out for name in ("0.png", "3.png", "6.png", "8.png")] == [True, True, True, False]
    paths = [Path(str(number)) for number in range(10)]
    assert evenly(paths, 4) == [paths[0], paths[2], paths[5], paths[7]]
    assert evenly(paths, 99) == paths


def test_options_of_the_engine_reach_it(capsys: Capture) -> None:
    fakes = Fakes()
    bench("--threads", "3", "--runtime", "onnx", "--tier", "light", "--rounds", "1", fakes=fakes)
    assert (fakes.asked[0].threads, fakes.asked[0].runtime, fakes.asked[0].tier) == (3, "onnx", "light")
    assert capsys.readouterr().err == ""


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    assert bench("--rounds", "2") == 0
    assert "8/8" in stderr.getvalue()  # 2 rounds of 3 documents and of all together
    assert stderr.getvalue().endswith("\r\x1b[K")
    assert "\x1b" not in capsys.readouterr().out


def test_the_real_engine_is_measured(tmp_path: Path, capsys: Capture) -> None:
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", (400, 120), "white")
    ImageDraw.Draw(page).text((20, 30), "Total 42.00", font=ImageFont.load_default(40), fill="black")
    page.save(tmp_path / "a.png")
    figures = tmp_path / "figures.json"
    assert run(["bench", str(tmp_path / "a.png"), "--rounds", "2", "--json", str(figures)]) == 0
    assert "end to end ÷ models" in capsys.readouterr().out
    record = json.loads(figures.read_text())
    models = {run["model"].split(" part")[0] for run in record["documents"][0]["runs"]}
    assert {"ppocrv6-small-det", "ppocrv6-small-rec"} <= models
    assert record["summary"]["end_to_end_over_models"] > 0.8
    assert record["machine"]["models"][0]["version"]
