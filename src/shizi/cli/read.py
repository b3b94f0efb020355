"""`shizi read`: its arguments and options; what they do is in `shizi.cli.run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import click

from shizi.cli.engine_flags import engine_flags
from shizi.cli.groups import GroupedCommand
from shizi.page_numbers import parse_pages

FORMATS = ("text", "json", "md", "csv", "xlsx", "docx", "hocr", "alto", "pdf", "annotated")
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
POSITIVE = click.IntRange(min=1)


class ReadCommand(GroupedCommand):
    """The command with its headings."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {
        "What to read": ("recursive", "pages", "languages", "min_score", "text_layer", "password", "password_file"),
        "Output": ("format", "output", "output_dir", "stream", "resume", "report", "quiet"),
        "Stages": ("detect", "classify", "recognize"),
        "Server": ("server", "key_file", "ca_file"),
        "Engine": ("tier", "runtime", "precision", "threads", "jobs", "offline", "models_dir", "catalog"),
        "Limits": (
            "max_bytes",
            "max_pixels",
            "max_side",
            "max_pages",
            "max_memory",
            "max_words",
            "timeout_s",
            "pdf_dpi",
            "pdf_max_pixels",
        ),
    }


def chosen_pages(_context: click.Context, _parameter: click.Parameter, value: str | None) -> frozenset[int] | None:
    """The value of --pages."""
    try:
        return None if value is None else parse_pages(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def chosen_languages(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """The value of --language."""
    if value is None:
        return None
    languages = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    if not languages:
        raise click.BadParameter("names no language; write for example zh,en")
    return languages


@click.command("read", cls=ReadCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("-r", "--recursive", is_flag=True, help="Go down into the folders below a folder.")
@click.option(
    "--pages", callback=chosen_pages, metavar="PAGES", help="Only these pages, such as 1-3,7 (counted from 1)."
)
@click.option(
    "--language",
    "languages",
    callback=chosen_languages,
    metavar="LANGUAGES",
    help="Read only characters of these languages, such as zh,en.",
)
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    metavar="SCORE",
    help="Leave out lines that were read less surely; 0 keeps all. Default 0.7, 0.97 for a lone stroke (1, |), 0 with --no-detect.",
)
@click.option(
    "--text-layer",
    type=click.Choice(("auto", "ignore", "only")),
    default="auto",
    metavar="WHICH",
    help="Text that a PDF has already: auto (default) uses it where it is sound, ignore reads the picture, only never "
    "reads the picture.",
)
@click.option(
    "--password",
    metavar="TEXT",
    help="Opens encrypted PDFs. Other users of the machine can see it; SHIZI_PASSWORD or a file hides it.",
)
@click.option("--password-file", type=FILE, help="A file whose first line is the password.")
@click.option(
    "-f",
    "--format",
    type=click.Choice(FORMATS),
    default="text",
    metavar="FORMAT",
    help="text (default), json, md, csv, xlsx, docx, hocr, alto, pdf (the document with invisible, searchable text) or annotated "
    "(a picture of what was found).",
)
@click.option("-o", "--output", type=FILE, help="Write the result of one file here instead of standard output.")
@click.option(
    "-O",
    "--output-dir",
    type=FOLDER,
    help="Write one file per input here: a.png becomes a.png.txt; folders below an input folder are kept.",
)
@click.option(
    "--stream", is_flag=True, help="With --format json: one document, or error, per line, as soon as it is read."
)
@click.option(
    "--resume",
    is_flag=True,
    help="With --output-dir: skip files whose output is there, from the same file and the same settings.",
)
@click.option("--report", type=FILE, help="Write counts and every failure here, as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, warnings or summary; errors are still told.")
@click.option("--detect/--no-detect", default=True, help="Look for lines; without it each page is one ready-cut line.")
@click.option(
    "--classify/--no-classify",
    default=True,
    help="Find lines that stand on their head; how a whole page is turned, trial readings find in either case.",
)
@click.option("--recognize/--no-recognize", default=True, help="Read the lines; without it only their places are told.")
@click.option(
    "--server",
    metavar="URL",
    help="Let this server read instead of this machine; formats that show the page are still drawn here.",
)
@click.option("--key-file", type=FILE, help="A file whose first line is the key or token for it; else SHIZI_API_KEY.")
@click.option("--ca-file", type=FILE, help="Certificates (PEM) of the authorities by which it is known.")
@engine_flags
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 256), metavar="N", help="Files read at the same time (default: 2)."
)
@click.option("--offline", is_flag=True, default=None, help="Never fetch a model.")
@click.option("--models-dir", type=FOLDER, help="Where models are kept; by default the user's cache folder.")
@click.option("--catalog", type=FILE, help="A catalogue of models of your own.")
@click.option("--max-bytes", type=POSITIVE, metavar="N", help="Refuse larger files.")
@click.option("--max-pixels", type=POSITIVE, metavar="N", help="Refuse images with more pixels.")
@click.option("--max-side", type=POSITIVE, metavar="N", help="Refuse images with a longer side, in pixels.")
@click.option("--max-pages", type=POSITIVE, metavar="N", help="Refuse to read more pages of one document.")
@click.option("--max-memory", type=POSITIVE, metavar="N", help="Refuse images that take more bytes to decode.")
@click.option("--max-words", type=POSITIVE, metavar="N", help="Refuse documents with more words.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.IntRange(1, 604_800),
    metavar="SECONDS",
    help="Give a document up after so long; looked at between pages (default: 3600).",
)
@click.option("--pdf-dpi", type=POSITIVE, metavar="N", help="Dots per inch at which PDF pages are rendered.")
@click.option("--pdf-max-pixels", type=POSITIVE, metavar="N", help="Render larger PDF pages at fewer dots per inch.")
@click.pass_context
def read(context: click.Context, /, **values: object) -> int:
    """Read the text of images and PDFs.

    FILES are images (JPEG, PNG, WebP, TIFF, BMP), PDFs, folders, globs such as '*.png', or - for standard input. What a
    file is, its first bytes say; names do not matter. Text goes to standard output, messages to standard error.

    \b
    Examples:
      shizi read photo.jpg
      shizi read contract.pdf --pages 1-3 --format md
      shizi read scan.pdf --format pdf --output searchable.pdf
      shizi read -r archive/ --output-dir text/ --resume --report failures.json
      shizi read *.png --format json --stream | jq .text
      shizi read scans/ --server https://ocr.example.org --key-file ~/.shizi-key --output-dir text/
    """
    from shizi.cli.engine import real_tools
    from shizi.cli.reading import Tools
    from shizi.cli.run import run_batch

    tools = context.obj if isinstance(context.obj, Tools) else real_tools()
    return run_batch(values, tools, debug=bool(context.meta.get("shizi.debug")))
