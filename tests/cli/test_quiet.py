from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

READ = "import sys; from shizi.imaging.decode import open_pages; print(len(list(open_pages(sys.argv[1]))))"
QUIET = f"from shizi.cli.quiet import silence_tiff; silence_tiff(); {READ}"


def damaged_fax() -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 2, (200, 300)).astype(bool)
    Image.fromarray(noise).save(out, "TIFF", compression="group4")
    data = bytearray(out.getvalue())
    for place in range(1000, 6000, 500):
        data[place : place + 2] = bytes(2)
    return bytes(data)


def errors(code: str, file: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    return done.stderr


def test_a_damaged_fax_prints_nothing(tmp_path: Path) -> None:
    (tmp_path / "fax.tif").write_bytes(damaged_fax())
    assert "Fax4Decode" in errors(READ, tmp_path / "fax.tif")
    assert errors(QUIET, tmp_path / "fax.tif") == ""


def test_the_command_is_quiet_about_it(tmp_path: Path) -> None:
    (tmp_path / "fax.tif").write_bytes(damaged_fax())
    command = [sys.executable, "-m", "shizi", "read", "--no-recognize", "--format", "json", str(tmp_path / "fax.tif")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Fax4Decode" not in done.stderr
    assert '"width": 300' in done.stdout
