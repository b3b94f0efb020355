from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from shizi.cli.inputs import expand

Folder = Callable[[dict[str, str]], Path]


def names(arguments: list[str | Path], recursive: bool = False, outside: Path | None = None) -> list[str]:
    return [item.relative.as_posix() for item in expand([str(argument) for argument in arguments], recursive, outside)]


def test_a_folder_gives_its_documents_in_natural_order(folder: Folder) -> None:
    source = folder(
        {"p10.png": "", "p2.png": "", "notes.txt": "no", "scan": "%PDF-1.7", ".hidden.png": "", "sub/x.png": ""}
    )
    assert names([source]) == ["p2.png", "p10.png", "scan"]
    assert names([source], recursive=True) == ["p2.png", "p10.png", "scan", "sub/x.png"]


def test_outputs_of_an_earlier_run_are_not_read(folder: Folder) -> None:
    source = folder({"a.png": "", "out/a.png.pdf": ""})
    assert names([source], recursive=True, outside=source / "out") == ["a.png"]


def test_links_to_folders_are_not_followed(folder: Folder) -> None:
    source = folder({"a.png": ""})
    (source / "loop").symlink_to(source)
    assert names([source], recursive=True) == ["a.png"]


def test_a_link_in_a_circle_costs_one_input(folder: Folder) -> None:
    source = folder({"a.png": ""})
    (source / "loop.png").symlink_to(source / "loop.png")
    assert names([source / "loop.png", source / "a.png"]) == ["loop.png", "a.png"]


def test_a_glob_with_dots_stays_below_the_output_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder({"a.png": "", "sub/b.png": "", "sub/deep/c.png": ""})
    monkeypatch.chdir(source / "sub")
    assert names(["*/../../*.png"]) == ["a.png"]
    assert names(["../s*/../a.png"]) == ["a.png"]


def test_globs_work_without_the_shell(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder({"a1.png": "", "b.jpg": "", "sub/a2.png": ""})
    monkeypatch.chdir(source)
    assert names(["a*.png"]) == ["a1.png"]
    assert names(["**/*.png"]) == ["a1.png", "sub/a2.png"]
    assert names([f"{source}/*/*.png"]) == ["sub/a2.png"]


def test_a_name_that_looks_like_a_glob_is_taken_as_it_is(folder: Folder) -> None:
    source = folder({"a[1].png": "", "a1.png": ""})
    assert names([source / "a[1].png"]) == ["a[1].png"]


def test_what_does_not_exist_stays_in_the_list(tmp_path: Path) -> None:
    (item,) = expand([str(tmp_path / "none*.png")], recursive=False)
    assert item.path == tmp_path / "none*.png"


def test_the_same_file_counts_once(folder: Folder) -> None:
    source = folder({"a.png": ""})
    assert names([source / "a.png", source, source / ".." / "in" / "a.png"]) == ["a.png"]


def test_standard_input_is_named() -> None:
    (item,) = expand(["-", "-"], recursive=False)
    assert (item.name, item.path, item.relative) == ("-", None, PurePath("stdin"))
