from __future__ import annotations

import os
import struct
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from shizi.errors import ModelLoadFailed
from shizi.models.download import Wanted
from shizi.models.wheel import extract_member, fetch_wheel

MODEL = b"weights" * 1000
WANTED = Wanted("0" * 64, len(MODEL))


def make_wheel(folder: Path, version: str = "1.0", members: dict[str, bytes] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"paperweight-{version}-py3-none-any.whl"
    info = f"paperweight-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (members or {"paperweight/m.onnx": MODEL}).items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: paperweight\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, told to pip as users do: by pip's own configuration."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    configuration = tmp_path / "pip.conf"
    configuration.write_text(f"[global]\nno-index = true\nfind-links = {tmp_path / 'index'}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def ignore(done: int, total: int | None) -> None:
    """Report to nobody."""


def test_the_wheel_comes_from_the_index_that_pip_is_configured_for(index: Path, folder: Path) -> None:
    make_wheel(index, "1.0")
    make_wheel(index, "2.0")

    wheel = fetch_wheel("paperweight==1.0", folder)

    assert wheel == folder / "paperweight-1.0-py3-none-any.whl"
    extract_member(wheel, "paperweight/m.onnx", folder / "part", WANTED, ignore)
    assert (folder / "part").read_bytes() == MODEL


def test_a_wheel_that_is_not_in_the_index_fails_in_the_words_of_pip(index: Path, folder: Path) -> None:
    make_wheel(index, "2.0")

    with pytest.raises(ModelLoadFailed, match=r"pip cannot download paperweight==1\.0; it says: .*paperweight==1\.0"):
        fetch_wheel("paperweight==1.0", folder)


def test_credentials_and_endless_talk_of_pip_stay_out_of_the_message(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talker = tmp_path / "python"
    url = "https://ann:hunter2@index.example/simple?token=s3cret"
    talker.write_text(
        f"#!/bin/sh\necho 'WARNING: slow' >&2\necho 'ERROR: no answer from {url} {'x' * 5000}' >&2\nexit 1\n"
    )
    talker.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(talker))

    with pytest.raises(ModelLoadFailed) as caught:
        fetch_wheel("paperweight==1.0", folder)

    shown = str(caught.value)
    assert shown.startswith(
        "pip cannot download paperweight==1.0; it says: no answer from https://***@index.example/simple"
    )
    assert "hunter2" not in shown
    assert "s3cret" not in shown
    assert len(shown) < 600


def test_pip_is_not_told_the_password_of_documents(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talker = tmp_path / "python"
    talker.write_text("#!/bin/sh\nenv >&2\nexit 1\n")
    talker.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(talker))
    monkeypatch.setenv("SHIZI_PASSWORD", "geheim")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setattr("shizi.models.wheel._reason", lambda _requirement, stderr: stderr)

    with pytest.raises(ModelLoadFailed) as caught:
        fetch_wheel("paperweight==1.0", folder)

    assert "PIP_INDEX_URL=https://index.example/simple" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_module_called_pip_in_the_working_folder_does_not_run(
    index: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index)
    (tmp_path / "pip.py").write_text("raise SystemExit('somebody else runs')")
    monkeypatch.chdir(tmp_path)

    assert fetch_wheel("paperweight==1.0", folder).exists()


def test_an_environment_without_pip_is_told_to_install_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=os.name != "nt")
    python = tmp_path / "bare" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    monkeypatch.setattr(sys, "executable", str(python))

    with pytest.raises(ModelLoadFailed, match=r"pip is missing in this environment.*bare.*ensurepip"):
        fetch_wheel("paperweight==1.0", folder)


def test_a_python_that_cannot_be_started_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(folder / "gone"))

    with pytest.raises(ModelLoadFailed, match="cannot be started"):
        fetch_wheel("paperweight==1.0", folder)


def test_a_file_that_is_not_in_the_wheel_is_named(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)

    with pytest.raises(ModelLoadFailed, match=r"paperweight-1\.0.*holds no paperweight/gone\.onnx"):
        extract_member(wheel, "paperweight/gone.onnx", tmp_path / "part", WANTED, ignore)


def test_a_file_that_claims_more_bytes_than_the_card_is_not_unpacked(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, members={"paperweight/m.onnx": MODEL + b"x"})

    with pytest.raises(ModelLoadFailed, match=f"holds {len(MODEL) + 1} bytes, more than the {len(MODEL)} bytes"):
        extract_member(wheel, "paperweight/m.onnx", tmp_path / "part", WANTED, ignore)

    assert not (tmp_path / "part").exists()


def test_a_zip_bomb_that_lies_about_its_size_fills_no_disk(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, members={"paperweight/m.onnx": bytes(0x4123456)})
    honest = wheel.read_bytes()
    assert honest.count(struct.pack("<I", 0x4123456)) == 2  # the size stands in both headers of the member
    wheel.write_bytes(honest.replace(struct.pack("<I", 0x4123456), struct.pack("<I", len(MODEL))))

    with pytest.raises(ModelLoadFailed, match="damaged"):
        extract_member(wheel, "paperweight/m.onnx", tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "part").stat().st_size <= len(MODEL)


def test_a_damaged_wheel_is_named(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:100])

    with pytest.raises(ModelLoadFailed, match="damaged"):
        extract_member(wheel, "paperweight/m.onnx", tmp_path / "part", WANTED, ignore)


def test_progress_runs_to_the_last_byte(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []

    extract_member(make_wheel(tmp_path), "paperweight/m.onnx", tmp_path / "part", WANTED, lambda *at: told.append(at))

    assert told[0] == (0, len(MODEL))
    assert told[-1] == (len(MODEL), len(MODEL))
