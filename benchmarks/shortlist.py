"""Where the common characters alone say enough: what `Card.sure_logit` of a recogniser is chosen by.

Lines are drawn in several scripts and fonts, worn as scans and photographs are, and read. For each threshold, the table says how
many of the network's columns the common characters settle, and how many of those all characters would have settled otherwise.

python -m benchmarks.shortlist [--lines N] [--seed N] [--model NAME]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from shizi.batching.claim import Claim
from shizi.imaging.crop import Crop, Part, Pixels
from shizi.models.card import DEFAULT_TIER
from shizi.models.charset import Charset, read_charset
from shizi.models.common import common_classes
from shizi.models.head import Columns
from shizi.models.normalize import normalization
from shizi.models.onnx_file import cut_linear
from shizi.models.recognizer import Recognizer
from shizi.models.store import ModelStore
from shizi.models.streams import Streams
from shizi.runtime.base import Batch, Session, SessionOptions
from shizi.runtime.choose import choose, load_runtime

THRESHOLDS = range(14, 25)
AT_A_TIME = 50
_LONGEST = 24  # characters of a line
_WIDE = ("Sans", "Serif")
_NARROW = ("Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "Serif", "Serif-Bold", "Serif-Italic", "SansCondensed")
# Where Noto's collections keep a script's forms.
_FACES = {"japanese": 0, "korean": 1, "traditional": 3}
_MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Seen:
    """The columns of some lines.

    Attributes:
        logits: the greatest logit of the common characters, (N,).
        otherwise: all characters together settle the column on another one, (N,).
    """

    logits: NDArray[np.float32]
    otherwise: NDArray[np.bool_]


class WatchingHead:
    """Notes of every column what both ways make of it; nothing is read. For one thread.

    Args:
        layer: (N, features) -> (N, classes), logits.
        common: the common classes.
    """

    def __init__(self, layer: Session, common: NDArray[np.intp]) -> None:
        self._layer = layer
        self._common = common
        self._seen: list[Seen] = []

    def look(self, output: Batch) -> Columns:
        """See `Head.look`."""
        self._seen.append(self._layer.run(output.reshape(-1, output.shape[-1]), self._compare))
        blank = np.zeros(output.shape[:2], dtype=np.intp)
        nothing = blank.astype(np.float32)
        return Columns(blank, nothing, nothing.copy(), blank[:0, 0], output[:0, 0])

    def settle(self, batches: Sequence[Columns], streams: Streams, claim: Claim | None = None) -> None:
        """See `Head.settle`."""

    def take(self) -> Seen:
        """What was noted since the last time."""
        seen, self._seen = self._seen, []
        return Seen(np.concatenate([part.logits for part in seen]), np.concatenate([part.otherwise for part in seen]))

    def _compare(self, logits: Batch) -> Seen:
        few = logits[:, self._common]
        return Seen(few.max(axis=1), self._common[few.argmax(axis=1)] != logits.argmax(axis=1))


def alphabets(known: Charset) -> dict[str, list[str]]:
    """By script, the characters that lines are drawn of: those that the recogniser knows, where it knows more than a few."""
    characters = set(known.characters)

    def coded(encoding: str, rows: range, cells: range) -> str:
        return b"".join(bytes((row, cell)) for row in rows for cell in cells).decode(encoding, errors="ignore")

    def between(first: int, last: int) -> str:
        return "".join(map(chr, range(first, last + 1)))

    ascii_signs = between(0x21, 0x7E)
    all_of = {
        "frequent": coded("gb2312", range(0xB0, 0xD8), range(0xA1, 0xFF)),
        "rare": coded("gb2312", range(0xD8, 0xF8), range(0xA1, 0xFF)),
        "traditional": coded("big5", range(0xA4, 0xC7), range(0xA1, 0xFF)),
        "japanese": 4 * between(0x3041, 0x30FE) + coded("euc_jp", range(0xB0, 0xD0), range(0xA1, 0xFF)),
        "korean": coded("euc_kr", range(0xB0, 0xC9), range(0xA1, 0xFF)),
        "latin": 6 * between(0x61, 0x7A) + 2 * between(0x41, 0x5A) + between(0xC0, 0x17F),
        "english": 8 * between(0x61, 0x7A) + ascii_signs,
        "digits": 9 * "0123456789" + ".,:;-/%()¥$€+= ",
        "cyrillic": 3 * between(0x430, 0x44F) + between(0x410, 0x45F),
        "greek": between(0x370, 0x3FF),
        _MIXED: "",
    }
    parts = [all_of[name] for name in ("frequent", "rare", "english", "digits")]
    all_of[_MIXED] = "".join(parts) + 40 * "，。、：；（）《》“”0123456789"
    found = {script: [char for char in chars if char in characters] for script, chars in all_of.items()}
    return {script: chars for script, chars in found.items() if len(set(chars)) >= _LONGEST}


@lru_cache(256)
def _font(script: str, choice: int, size: int) -> ImageFont.FreeTypeFont:
    # Noto's Latin and Greek lack the letters with marks.
    if script in ("latin", "cyrillic", "greek") or (script in ("english", "digits") and choice % 3):
        name = f"/usr/share/fonts/truetype/dejavu/DejaVu{_NARROW[choice % len(_NARROW)]}.ttf"
        try:
            return ImageFont.truetype(name, size)
        except OSError:  # only the core fonts are installed
            return ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", size)
    weight = ("Regular", "Bold")[choice // 2 % 2]
    file = f"/usr/share/fonts/opentype/noto/Noto{_WIDE[choice % 2]}CJK-{weight}.ttc"
    return ImageFont.truetype(file, size, index=_FACES.get(script, 2))


def draw(script: str, characters: Sequence[str], random: Random) -> Pixels:
    """A line of text on a background of its own, (H, W, 3) RGB, more or less worn."""
    text = "".join(characters)
    if script in ("latin", "english", "cyrillic", "greek"):
        text = " ".join(text[at : at + 6] for at in range(0, len(text), 6))
    font = _font(script, random.randrange(24), random.randint(12, 56))
    left, top, right, bottom = font.getbbox(text)
    edge = random.uniform(0.05, 0.3) * font.size
    paper, ink = random.randint(0, 255), random.randint(0, 255)
    if abs(paper - ink) < 70:
        paper, ink = 235, 40
    tint = [random.randint(-20, 20) for _ in range(6)]
    colours = [
        tuple(int(np.clip(base + shift, 0, 255)) for shift in tint[at : at + 3]) for base, at in ((paper, 0), (ink, 3))
    ]
    page = Image.new("RGB", (int(right - left + 2 * edge) + 1, int(bottom - top + 2 * edge) + 1), colours[0])
    ImageDraw.Draw(page).text((edge - left, edge - top), text, fill=colours[1], font=font)
    return worn(page, font.size / 32, random)


def worn(page: Image.Image, scale: float, random: Random) -> Pixels:
    """Turned a little, blurred, noisy and compressed: each of it to some of the pictures."""
    if random.random() < 0.3:
        page = page.rotate(random.uniform(-1.5, 1.5), Image.Resampling.BICUBIC, fillcolor=page.getpixel((0, 0)))
    if random.random() < 0.4:
        page = page.filter(ImageFilter.GaussianBlur(scale * random.uniform(0.3, 1.6)))
    if random.random() < 0.3:
        shape = (page.height, page.width, 3)
        noise = np.random.default_rng(random.randrange(1 << 30)).normal(0, random.uniform(2, 25), shape)
        page = Image.fromarray(np.clip(np.asarray(page) + noise, 0, 255).astype(np.uint8))
    if random.random() < 0.4:
        file = BytesIO()
        page.save(file, "JPEG", quality=random.randint(15, 80))
        page = Image.open(file)
    return np.asarray(page.convert("RGB"))


def as_crop(pixels: Pixels, reader: Recognizer) -> Crop:
    """The whole picture as one line, as wide as the recogniser takes it."""
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    return Crop(Part(pixels), corners, reader.width(width / height), reader.height)


def measure(reader: Recognizer, head: WatchingHead, lines: int, random: Random) -> dict[str, Seen]:
    """Draws about that many lines, each script's characters in turn, and has them looked at."""
    seen: dict[str, Seen] = {}
    scripts = alphabets(reader.charset)
    for script, alphabet in scripts.items():
        waiting: list[str] = []
        parts = []
        left = -(-lines // len(scripts))
        while left > 0:
            crops = []
            for _ in range(min(left, AT_A_TIME)):
                length = random.randint(1, _LONGEST)
                if len(waiting) < length:
                    waiting += random.sample(alphabet, len(alphabet))
                crops.append(as_crop(draw(script, waiting[:length], random), reader))
                del waiting[:length]
            reader(crops)
            parts.append(head.take())
            left -= AT_A_TIME
        seen[script] = Seen(
            np.concatenate([part.logits for part in parts]), np.concatenate([part.otherwise for part in parts])
        )
    return seen


def as_markdown(seen: Mapping[str, Seen]) -> str:
    """A row for each threshold: the share of columns settled, and those settled otherwise, by script and in all."""
    everything = {
        **seen,
        "all": Seen(
            np.concatenate([part.logits for part in seen.values()]),
            np.concatenate([part.otherwise for part in seen.values()]),
        ),
    }
    heads = [f"{script} ({len(part.logits)})" for script, part in everything.items()]
    rows = ["| sure logit | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for threshold in THRESHOLDS:
        cells = []
        for part in everything.values():
            sure = part.logits >= threshold
            cells.append(f"{100 * sure.mean():.1f} %, {np.count_nonzero(part.otherwise & sure)}")
        rows.append(f"| {threshold} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    store = ModelStore()
    parser.add_argument("--lines", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default=store.catalog.tier(DEFAULT_TIER).names[1])
    arguments = parser.parse_args()
    card, path = store.card(arguments.model), store.path(arguments.model)
    cut = cut_linear(path.read_bytes())
    if cut is None:
        parser.error(f"{arguments.model} does not end in a linear layer and a softmax")
    body, layer = cut
    choice = choose("auto")
    runtime, options = load_runtime(choice.runtime), SessionOptions(2, choice.precision, few_shapes=True)
    cv2.setNumThreads(1)
    charset = read_charset(path, card.charset or "metadata:character", card.classes)
    logits = runtime.load(path, options, content=layer.onnx(softmax=False))
    head = WatchingHead(logits, common_classes(charset.characters))
    with closing(Streams(1)) as streams:
        session = runtime.load(path, replace(options, pixels=normalization(card)), content=body.onnx())
        reader = Recognizer(session, card, charset, streams, lambda _: head)
        seen = measure(reader, head, arguments.lines, Random(arguments.seed))
    print(
        f"{arguments.model}, {choice.runtime}, {choice.precision}, {arguments.lines} lines: share of columns settled.\n"
    )
    print(as_markdown(seen))


if __name__ == "__main__":
    main()
