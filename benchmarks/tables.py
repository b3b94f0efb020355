"""The tables of an accuracy benchmark: scores and times by set, and how many times faster one engine is than another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from shizi.bench.stats import geometric_mean

NAMES = {
    "shizi": "shizi",
    "shizi-openvino-f32": "shizi (OpenVINO, float32)",
    "shizi-onnx": "shizi (ONNX Runtime, float32)",
    "rapidocr-onnx": "RapidOCR (ONNX Runtime)",
    "rapidocr-openvino": "RapidOCR (OpenVINO)",
    "tesseract": "Tesseract",
}
# slower ÷ faster
RATIOS = (("rapidocr-onnx", "shizi"), ("rapidocr-openvino", "shizi"), ("rapidocr-onnx", "shizi-onnx"))


class Row(TypedDict):
    """What one engine did on one set."""

    images: int
    bigram_f1: float
    word_f1: float
    seconds_per_page: float
    median_seconds: float
    peak_mb: float
    stages_ms: dict[str, float]


class Ratio(TypedDict):
    """Mean seconds a page of one engine ÷ another's, and the second's scores less the first's."""

    of: str
    over: str
    sets: dict[str, float]
    geometric_mean: float
    bigram_f1_gain: dict[str, float]
    word_f1_gain: dict[str, float]


Report = Mapping[str, Mapping[str, Row]]  # set -> engine -> row


def summary(report: Report) -> list[Ratio]:
    """The ratios of `RATIOS` whose engines were both measured on every set."""
    found = []
    for of, over in RATIOS:
        if not report or not all(of in rows and over in rows for rows in report.values()):
            continue
        sets = {name: rows[of]["seconds_per_page"] / rows[over]["seconds_per_page"] for name, rows in report.items()}
        found.append(
            Ratio(
                of=of,
                over=over,
                sets=sets,
                geometric_mean=geometric_mean(list(sets.values())),
                bigram_f1_gain={name: rows[over]["bigram_f1"] - rows[of]["bigram_f1"] for name, rows in report.items()},
                word_f1_gain={name: rows[over]["word_f1"] - rows[of]["word_f1"] for name, rows in report.items()},
            )
        )
    return found


def as_markdown(report: Report) -> str:
    """All tables."""
    parts = [_figures(report)]
    ratios = summary(report)
    if ratios:
        parts += [_times(ratios), _gains(ratios)]
    return "\n\n".join(parts) + "\n"


def _figures(report: Report) -> str:
    rows = ["| set | engine | bigram F1 | word F1 | s/page | median | peak MB |", "|---|---|---|---|---|---|---|"]
    for name, engines in report.items():
        for engine, row in engines.items():
            scores = f"{row['bigram_f1']:.4f} | {row['word_f1']:.4f}"
            times = f"{row['seconds_per_page']:.3f} | {row['median_seconds']:.3f} | {row['peak_mb']:.0f}"
            rows.append(f"| {name} ({row['images']}) | {NAMES.get(engine, engine)} | {scores} | {times} |")
    return "\n".join(rows)


def _times(ratios: list[Ratio]) -> str:
    sets = list(ratios[0]["sets"])
    rows = [f"| seconds a page | {' | '.join(sets)} | geometric mean |", "|---" * (len(sets) + 2) + "|"]
    for ratio in ratios:
        cells = " | ".join(f"{ratio['sets'][name]:.2f}" for name in sets)
        rows.append(f"| {_names(ratio, '÷')} | {cells} | **{ratio['geometric_mean']:.2f}** |")
    return "\n".join(rows)


def _gains(ratios: list[Ratio]) -> str:
    sets = list(ratios[0]["sets"])
    rows = [f"| bigram F1 / word F1 | {' | '.join(sets)} | mean |", "|---" * (len(sets) + 2) + "|"]
    for ratio in ratios:
        pairs = [(ratio["bigram_f1_gain"][name], ratio["word_f1_gain"][name]) for name in sets]
        means = tuple(sum(pair[index] for pair in pairs) / len(pairs) for index in (0, 1))
        cells = " | ".join(f"{bigram:+.4f} / {word:+.4f}" for bigram, word in [*pairs, means])
        rows.append(f"| {_names(ratio, 'less', turned=True)} | {cells} |")
    return "\n".join(rows)


def _names(ratio: Ratio, between: str, turned: bool = False) -> str:
    first, second = NAMES[ratio["of"]], NAMES[ratio["over"]]
    return f"{second} {between} {first}" if turned else f"{first} {between} {second}"
