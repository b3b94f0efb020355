"""Draws the sample documents of this folder, and the text that stands on them into `expected/`.

Run it from the project's root: `python -m samples.draw`. The same Pillow and fonts draw the same files.
"""

from __future__ import annotations

from pathlib import Path

from samples.invoice import draw_invoice
from samples.notice import draw_notice
from samples.receipt import draw_receipt
from samples.report import draw_report

HERE = Path(__file__).resolve().parent


def draw_all(folder: Path) -> tuple[Path, ...]:
    """Draw every sample into a folder; returns what was written."""
    expected = folder / "expected"
    expected.mkdir(parents=True, exist_ok=True)
    truths: dict[Path, str] = {}

    invoice, truths[folder / "invoice.png"] = draw_invoice()
    invoice.quantize(128).save(folder / "invoice.png", optimize=True)
    receipt, truths[folder / "receipt.jpg"] = draw_receipt()
    receipt.save(folder / "receipt.jpg", quality=80, optimize=True)
    report, truths[folder / "report.pdf"] = draw_report()
    (folder / "report.pdf").write_bytes(report)
    notice, truths[folder / "turned.png"] = draw_notice()
    notice.quantize(32).save(folder / "turned.png", optimize=True)

    for path, text in truths.items():
        (expected / f"{path.name}.txt").write_text(text, encoding="utf-8", newline="\n")
    return tuple(truths)


if __name__ == "__main__":
    for drawn in draw_all(HERE):
        print(f"{drawn.name}: {drawn.stat().st_size // 1024} kB")
