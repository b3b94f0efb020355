"""Importing shizi is quick and does nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import shizi

HEAVY = ("numpy", "cv2", "PIL", "onnxruntime", "openvino", "torch", "pydantic", "click", "pypdfium2")
WEB = ("starlette", "fastapi", "flask", "aiohttp", "uvicorn", "litestar", "tornado", "django", "grpc")


def loaded(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after some code."""
    code += "\nimport sys\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_importing_shizi_loads_no_library() -> None:
    modules = loaded("import shizi")
    assert "shizi" in modules
    assert not modules & {*HEAVY, *WEB}


def test_importing_the_engine_loads_no_web_framework_no_torch_and_no_runtime() -> None:
    modules = loaded("from shizi import OCR\nassert OCR.__name__ == 'OCR'")
    assert "numpy" in modules
    assert not modules & {*WEB, "torch", "onnxruntime", "openvino", "pypdfium2"}


def test_everything_that_is_announced_is_there() -> None:
    for name in shizi.__all__:
        assert getattr(shizi, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Ocr'"):
        _ = shizi.Ocr
