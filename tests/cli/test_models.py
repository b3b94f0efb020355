from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shizi.cli import models as module
from shizi.cli.models import models
from shizi.errors import ModelLoadFailed, NotFound

HELP = ["-h", "--help"]  # as below `shizi`: click keeps the option that a command was first run with

WEIGHTS = {"det": b"detector", "rec": b"recogniser", "dir": b"direction"}
TASKS = {"det": "detect", "rec": "recognize", "dir": "direction"}


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue whose models lie in the folder `mirror`, and an empty home."""
    for name in [name for name in os.environ if name.startswith("SHIZI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SHIZI_HOME", str(tmp_path / "home"))
    (tmp_path / "mirror").mkdir()
    tables = ['[tiers.general]\ndetect = "det"\nrecognize = "rec"\ndirection = "dir"\n']
    for name, content in WEIGHTS.items():
        (tmp_path / "mirror" / f"{name}.onnx").write_bytes(content)
        tables.append(
            f'[models.{name}]\ntask = "{TASKS[name]}"\nversion = "1"\nlicence = "MIT"\norigin = "test"\n'
            f'sources = ["mirror/{name}.onnx"]\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        )
    path = tmp_path / "catalog.toml"
    path.write_text("\n".join(tables))
    return path


def run(*arguments: str | Path, failing: type[Exception] | None = None) -> Result:
    result = CliRunner().invoke(models, [str(argument) for argument in arguments], help_option_names=HELP)
    if failing is None:
        assert result.exception is None, result.output
    else:
        assert isinstance(result.exception, failing)
    return result


def test_list_shows_what_comes_with_shizi(tmp_path: Path) -> None:
    result = CliRunner().invoke(models, ["list"], env={"SHIZI_HOME": str(tmp_path)}, help_option_names=HELP)

    lines = result.stdout.splitlines()
    assert lines[0].split() == ["NAME", "TASK", "VERSION", "SIZE", "LICENCE", "INSTALLED", "TIERS"]
    [small] = [line for line in lines if line.startswith("ppocrv6-small-rec ")]
    assert " ".join(small.split()) == "ppocrv6-small-rec recognize PP-OCRv6 21.2 MB Apache-2.0 no general (default)"
    assert result.stderr == ""


def test_list_as_json_says_the_same_to_programs(tmp_path: Path, catalog: Path) -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "--json", "--catalog", catalog).stdout)}

    assert list(rows) == ["det", "rec", "dir"]
    assert rows["rec"]["installed"] is True
    assert rows["rec"]["path"] == str(tmp_path / "mirror" / "rec.onnx")
    assert rows["rec"]["tiers"] == ["general"]
    assert rows["rec"]["sha256"] == hashlib.sha256(b"recogniser").hexdigest()
    assert rows["rec"]["licence"] == "MIT"


def test_pull_without_names_pulls_the_default_tier(tmp_path: Path, catalog: Path) -> None:
    result = run("pull", "--catalog", catalog)

    assert result.stdout.splitlines() == [f"{name}\t{tmp_path / 'mirror' / name}.onnx" for name in WEIGHTS]
    assert result.stderr == ""  # no bars where nobody looks


def test_pull_takes_names_and_tiers_each_model_once(catalog: Path) -> None:
    result = run("pull", "dir", "--tier", "general", "dir", "--catalog", catalog)

    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["dir", "det", "rec"]


def test_the_catalogue_can_come_from_the_environment(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIZI_CATALOG", str(catalog))

    assert run("pull", "det").stdout.startswith("det\t")


def test_the_tier_of_the_environment_is_what_pull_pulls(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with catalog.open("a") as file:
        file.write('[tiers.small]\ndetect = "det"\nrecognize = "rec"\ndirection = "dir"\n')
    monkeypatch.setenv("SHIZI_CATALOG", str(catalog))
    monkeypatch.setenv("SHIZI_TIER", "gone")

    result = run("pull", failing=NotFound)

    assert str(result.exception) == "no tier is called 'gone'; known are general, small"


def test_the_folder_of_the_models_can_be_named(tmp_path: Path, catalog: Path) -> None:
    (tmp_path / "mirror" / "det.onnx").unlink()

    result = run("verify", "det", "--catalog", catalog, "--models-dir", tmp_path / "elsewhere", failing=NotFound)

    assert str(tmp_path / "elsewhere") in str(result.exception)


def test_an_unknown_name_or_tier_stops_before_anything_is_pulled(catalog: Path) -> None:
    assert run("pull", "det", "nope", "--catalog", catalog, failing=NotFound).stdout == ""
    assert run("pull", "--tier", "nope", "--catalog", catalog, failing=NotFound).stdout == ""


def test_a_model_that_cannot_be_pulled_costs_none_of_the_others(tmp_path: Path, catalog: Path) -> None:
    (tmp_path / "mirror" / "det.onnx").unlink()

    result = run("pull", "--catalog", catalog, failing=ModelLoadFailed)

    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["rec", "dir"]
    assert result.stderr.startswith("det: the model det cannot be pulled: ")
    assert str(result.exception) == "1 of 3 models failed: det"


@pytest.mark.parametrize("value", ["1", "true"])
def test_offline_comes_from_the_environment(
    tmp_path: Path, catalog: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    (tmp_path / "mirror" / "det.onnx").unlink()
    monkeypatch.setenv("SHIZI_OFFLINE", value)

    for command in ("pull", "path"):
        result = run(command, "det", "--catalog", catalog, failing=ModelLoadFailed)
        assert "offline mode" in str(result.exception)


def test_path_prints_the_file_and_nothing_else(tmp_path: Path, catalog: Path) -> None:
    result = run("path", "rec", "--catalog", catalog)

    assert result.stdout == f"{tmp_path / 'mirror' / 'rec.onnx'}\n"
    assert result.stderr == ""


def test_path_takes_a_card_of_ones_own(tmp_path: Path, catalog: Path) -> None:
    card = tmp_path / "mine" / "card.toml"
    card.parent.mkdir()
    (card.parent / "w.onnx").write_bytes(b"w")
    digest = hashlib.sha256(b"w").hexdigest()
    card.write_text(
        f'name = "mine"\ntask = "detect"\nversion = "1"\nlicence = "MIT"\norigin = "me"\nsha256 = "{digest}"\n'
    )

    assert run("path", card, "--catalog", catalog).stdout == f"{tmp_path / 'mine' / 'w.onnx'}\n"


def test_verify_names_every_model_and_fails_with_the_bad_ones(tmp_path: Path, catalog: Path) -> None:
    assert run("verify", "--catalog", catalog).stdout == "det\tok\nrec\tok\ndir\tok\n"

    (tmp_path / "mirror" / "rec.onnx").write_bytes(b"another")
    result = run("verify", "--catalog", catalog, failing=ModelLoadFailed)

    assert result.stdout == "det\tok\ndir\tok\n"
    assert result.stderr.startswith("rec: ")
    assert hashlib.sha256(b"another").hexdigest() in result.stderr
    assert isinstance(result.exception, ModelLoadFailed)
    assert result.exception.exit_code == 69
    assert str(result.exception) == "1 of 3 models failed: rec"


def test_verify_of_an_empty_store_says_so(tmp_path: Path, catalog: Path) -> None:
    for name in WEIGHTS:
        (tmp_path / "mirror" / f"{name}.onnx").unlink()

    result = run("verify", "--catalog", catalog)

    assert result.stdout == ""
    assert "no model is installed" in result.stderr
    run("verify", "det", "--catalog", catalog, failing=NotFound)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_are_drawn_on_a_terminal_one_after_the_other() -> None:
    stream = Terminal()
    with module._progress(stream) as show:
        assert show is not None
        for name in ("det", "rec"):
            show(name, 0, 1000)
            show(name, 500, 1000)
            show(name, 200, 1000)  # another source, from the start
            show(name, 1000, 1000)
        show("huge", 10, None)

    drawn = stream.getvalue()
    assert drawn.index("det") < drawn.index("rec") < drawn.index("huge")
    assert drawn.count("100%") == 2
    assert " 50%" in drawn


def test_no_bar_is_drawn_into_a_file() -> None:
    stream = io.StringIO()
    with module._progress(stream) as show:
        assert show is None
    assert stream.getvalue() == ""
