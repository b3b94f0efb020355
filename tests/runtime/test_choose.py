"""Which runtime, which precision, and why."""

from __future__ import annotations

import pytest

from shizi.errors import InvalidRequest, ModelLoadFailed
from shizi.runtime.choose import choose, installed, load_runtime

BOTH, NONE = ("openvino", "onnx"), ()
PLAIN, MODERN = frozenset({"avx2"}), frozenset({"avx2", "avx512_bf16"})
EIGHT, BEST = frozenset({"avx2", "avx_vnni"}), MODERN | {"avx512_vnni"}


@pytest.mark.parametrize(
    ("asked", "available", "features", "expected"),
    [
        (("auto", "auto"), BOTH, PLAIN, ("openvino", "float32")),
        (("auto", "auto"), BOTH, MODERN, ("openvino", "bfloat16")),
        (("auto", "auto"), BOTH, frozenset({"amx_bf16"}), ("openvino", "bfloat16")),
        (("auto", "auto"), BOTH, EIGHT, ("openvino", "int8")),
        (("auto", "auto"), BOTH, BEST, ("openvino", "int8")),
        (("auto", "int8"), BOTH, BEST, ("openvino", "int8")),
        (("auto", "bfloat16"), BOTH, BEST, ("openvino", "bfloat16")),
        (("auto", "auto"), ("onnx",), BEST, ("onnx", "float32")),
        (("auto", "auto"), ("onnx",), MODERN, ("onnx", "float32")),
        (("onnx", "auto"), BOTH, MODERN, ("onnx", "float32")),
        (("openvino", "float32"), BOTH, MODERN, ("openvino", "float32")),
        (("openvino", "bfloat16"), BOTH, PLAIN, ("openvino", "bfloat16")),
    ],
)
def test_the_choice(
    asked: tuple[str, str], available: tuple[str, ...], features: frozenset[str], expected: tuple[str, str]
) -> None:
    choice = choose(*asked, available=lambda: available, features=lambda: features)
    assert (choice.runtime, choice.precision) == expected
    assert ("as asked for" in choice.reason) == (asked[0] != "auto")
    assert ("bfloat16" in choice.reason) == (asked[1] == "auto" and expected[1] == "bfloat16")
    assert ("8 bits" in choice.reason) == (asked[1] == "auto" and expected[1] == "int8")


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="runtime 'cuda' is unknown; known are auto, openvino, onnx"):
        choose("cuda", available=lambda: BOTH)
    with pytest.raises(InvalidRequest, match="precision 'int4' is unknown; known are auto, float32, bfloat16, int8"):
        choose("auto", "int4", available=lambda: BOTH)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="needs the runtime 'openvino'"):
        choose("onnx", "bfloat16", available=lambda: BOTH)
    with pytest.raises(InvalidRequest, match="needs the runtime 'openvino'"):
        choose("onnx", "int8", available=lambda: BOTH, features=lambda: BEST)


def test_products_of_8_bits_need_a_processor_that_has_them() -> None:
    """Without those instructions sums of 8-bit products overflow, and characters change."""
    with pytest.raises(InvalidRequest, match="needs a CPU with one of amx_int8, avx512_vnni, avx_vnni"):
        choose("openvino", "int8", available=lambda: BOTH, features=lambda: MODERN)


def test_a_runtime_that_is_not_installed_is_named_with_its_package() -> None:
    with pytest.raises(ModelLoadFailed, match="install onnxruntime or openvino"):
        choose(available=lambda: NONE)
    with pytest.raises(ModelLoadFailed, match="'onnx' is not installed; install onnxruntime"):
        choose("onnx", available=lambda: ("openvino",))


def test_installed_runtimes_can_be_loaded_and_say_their_name() -> None:
    assert "onnx" in installed()
    for name in installed():
        assert load_runtime(name).name == name  # type: ignore[arg-type]
