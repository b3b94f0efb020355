"""What numbers come into the layers of a model: writes src/shizi/models/ranges/MODEL.json, for products of 8 bits.

For a recogniser lines are drawn in several scripts and fonts and worn, as `benchmarks.shortlist` draws them, for a detector pages of
them (`benchmarks.drawn_pages`), and looked at in float32. Of each channel the greatest number of each is noted. Written down is, for
lines, what nine of ten stay below: the greatest of all belongs to one line, and would make the steps of all others coarser; for
pages, which hold many lines each, the greatest. Layers that are worth it are convolutions over the whole line or page; a recogniser's
first few are not among them, for turning their large input into 8 bits takes as long as what they save.

python -m benchmarks.ranges [--pictures N] [--seed N] [--model NAME] [--without LAYER …] [--output FOLDER]
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.drawn_pages import draw_page
from benchmarks.shortlist import alphabets, draw
from shizi.imaging.crop import Crop, Part
from shizi.models.card import DEFAULT_TIER, Card
from shizi.models.charset import read_charset
from shizi.models.normalize import GREY, normalization
from shizi.models.ranges import MeasuredLayer, MeasuredRanges
from shizi.models.store import ModelStore
from shizi.runtime.base import Batch
from shizi.runtime.choose import load_runtime
from shizi.runtime.rewrite.openvino.nodes import is_pointwise

if TYPE_CHECKING:
    import openvino

_LONGEST = 24  # characters of a line
_FOLDER = Path("src/shizi/models/ranges")


@dataclass(frozen=True, slots=True)
class Kind:
    """How models of a task are measured.

    Attributes:
        fewest: channels of a layer: with fewer, making 8 bits of its input takes longer than what they save.
        usual: the share of pictures whose greatest numbers a range holds.
        larger: measure convolutions of more than single pixels too; a recogniser's are its first few.
    """

    fewest: int
    usual: float
    larger: bool


KINDS = {"detect": Kind(48, 1.0, larger=True), "recognize": Kind(64, 0.9, larger=False)}


def pages(card: Card, scripts: Mapping[str, Sequence[str]], number: int, random: Random) -> Iterator[Batch]:
    """Drawn pages as the detector takes them: (1, 3, H, W), multiples of 32."""
    rule = normalization(card)
    for _ in range(number):
        yield rule.of_pictures(draw_page(scripts, random)[None])


def lines(card: Card, scripts: Mapping[str, Sequence[str]], number: int, random: Random) -> Iterator[Batch]:
    """Drawn lines as the recogniser takes them, each alone: (1, 3, height, W)."""
    parts = list(scripts.items())
    rule, height = normalization(card), card.input.height or 48
    for drawn in range(number):
        script, alphabet = parts[drawn % len(parts)]
        pixels = draw(script, random.choices(alphabet, k=random.randint(1, _LONGEST)), random)
        tall, wide = pixels.shape[:2]
        corners = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], dtype=np.float32)
        crop = Crop(Part(pixels), corners, max(8, round(height * wide / tall)), height)
        padded = np.full((1, height, -(-crop.width // 32) * 32, 3), GREY, dtype=np.uint8)
        padded[0, :, : crop.width] = crop.cut()
        yield rule.of_pictures(padded)


def worthwhile(model: openvino.Model, kind: Kind, without: Sequence[str]) -> list[openvino.Node]:
    """The layers whose ranges are measured."""
    found = []
    for node in model.get_ordered_ops():
        measured = node.get_type_name() == "Convolution" if kind.larger else is_pointwise(node)
        if measured and node.get_friendly_name() not in without:
            _, channels, high, wide = node.input_value(0).get_partial_shape()
            single = high.is_static and wide.is_static and (high.get_length(), wide.get_length()) == (1, 1)
            if channels.get_length() >= kind.fewest and not single:
                found.append(node)
    return found


def measure(path: Path, kind: Kind, inputs: Iterator[Batch], without: Sequence[str]) -> dict[str, MeasuredLayer]:
    """Runs the model on all inputs and notes what comes into each layer."""
    load_runtime("openvino")  # keeps OpenVINO from calling home
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    layers = worthwhile(model, kind, without)
    watched = openvino.Model([node.input_value(0) for node in layers], model.get_parameters(), "watched")
    request = core.compile_model(watched, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    names = [node.get_friendly_name() for node in layers]
    least: dict[str, float] = defaultdict(float)
    greatest: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for batch in inputs:
        request.infer([batch])
        for at, name in enumerate(names):
            values = request.get_output_tensor(at).data
            least[name] = min(least[name], float(values.min()))
            greatest[name].append(np.abs(values).max(axis=(0, 2, 3)))
    usual = {name: np.quantile(greatest[name], kind.usual, axis=0) for name in names}
    return {name: MeasuredLayer(least=_short(least[name]), greatest=tuple(map(_short, usual[name]))) for name in names}


def _short(number: float) -> float:
    return float(f"{number:.3g}")


def _by_layer(measured: MeasuredRanges) -> str:
    """JSON with a line for each layer, so that a change shows where it is."""
    head = f'"sha256": {json.dumps(measured.sha256)},\n"how": {json.dumps(measured.how)},\n"layers": {{\n'
    rows = (f"{json.dumps(name)}: {layer.model_dump_json()}" for name, layer in measured.layers.items())
    return "{\n" + head + ",\n".join(rows) + "\n}}\n"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    store = ModelStore()
    reader = store.catalog.tier(DEFAULT_TIER).names[1]
    parser.add_argument("--pictures", type=int, default=1100, help="lines, or pages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default=reader)
    parser.add_argument("--without", nargs="*", default=(), help="layers that are left as they are")
    parser.add_argument("--output", type=Path, default=_FOLDER)
    asked = parser.parse_args()
    card = store.card(asked.model)
    if card.task not in KINDS:
        parser.error(f"{card.name} is a model to {card.task}; ranges are measured of models to {' or '.join(KINDS)}")
    path = store.path(asked.model)
    writer = card if card.task == "recognize" else store.card(reader)
    scripts = alphabets(read_charset(store.path(writer.name), writer.charset or "metadata:character", writer.classes))
    drawn = (lines if card.task == "recognize" else pages)(card, scripts, asked.pictures, Random(asked.seed))
    layers = measure(path, KINDS[card.task], drawn, asked.without)
    how = f"python -m benchmarks.ranges --pictures {asked.pictures} --seed {asked.seed} --model {asked.model}"
    if asked.without:
        how += " --without " + " ".join(asked.without)
    measured = MeasuredRanges(sha256=card.sha256, how=how, layers=layers)
    file = asked.output / f"{card.name}.json"
    file.write_text(_by_layer(measured), encoding="utf-8")
    print(f"{file}: {len(layers)} layers, {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
