"""Importing shizi is quick and does nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import shizi

HEAVY = (
    "numpy",
    "cv2",
    "PIL",
    "onnxruntime",
    "openvino",
    "torch",
    "pydantic",
    "click",
    "pypdfium2",
    "docx",
    "lxml",
    "xlsxwriter",
)
WEB = (
    "starlette",
    "fastapi",
    "flask",
    "aiohttp",
    "uvicorn",
    "litestar",
    "tornado",
    "django",
    "grpc",
    "httpx",
    "sqlalchemy",
)


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
    assert not modules & {*WEB, "torch", "onnxruntime", "openvino", "pypdfium2", "docx", "lxml", "xlsxwriter"}


def test_importing_a_client_loads_no_server_and_no_engine() -> None:
    modules = loaded("from shizi import AsyncClient, Client\nClient('http://127.0.0.1:9').close()")
    assert "httpx" in modules
    assert not modules & {*HEAVY, *WEB} - {"httpx", "click"}  # httpx has a command of its own


def test_a_client_without_its_library_says_what_to_install() -> None:
    code = "import sys\nsys.modules['httpx'] = None\nimport shizi\ntry:\n    shizi.Client\nexcept ModuleNotFoundError as error:\n"
    assert "pip" in loaded(code + "    assert \"pip install 'shizi[client]'\" in str(error)\n    import pip")


def test_everything_that_is_announced_is_there() -> None:
    for name in shizi.__all__:
        assert getattr(shizi, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Ocr'"):
        _ = shizi.Ocr
