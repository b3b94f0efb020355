"""What the tests of all rewrites need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shizi.runtime.choose import load_runtime

if TYPE_CHECKING:
    import openvino


@pytest.fixture(scope="session")
def core() -> openvino.Core:
    load_runtime("openvino")  # keeps OpenVINO from calling home
    import openvino

    return openvino.Core()
