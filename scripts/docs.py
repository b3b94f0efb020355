"""Writes the pages of `docs/` that come from the sources: `python -m scripts.docs`."""

from __future__ import annotations

import inspect
from pathlib import Path

import click

from shizi.cli import exits
from shizi.cli.groups import GroupedCommand
from shizi.cli.main import shizi
from shizi.errors import taxonomy
from shizi.settings import Settings, variable

DOCS = Path(__file__).resolve().parent.parent / "docs"
HELP = ["-h", "--help"]
MADE = "<!-- made by `make docs` from the sources; do not edit -->\n"


def pages() -> dict[str, str]:
    """File name below `docs/` → its text."""
    return {"cli.md": cli_page(), "errors.md": errors_page(), "settings.md": settings_page()}


def cli_page() -> str:
    """Every command, its arguments and options."""
    parts = [
        "# Command line",
        MADE,
        "Data goes to standard output, messages to standard error. Exit codes are on the page [errors](errors.md), "
        "settings from the environment on the page [settings](settings.md).",
    ]
    with click.Context(shizi, info_name="shizi", help_option_names=HELP) as context:
        _command(shizi, context, parts)
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _command(command: click.Command, context: click.Context, parts: list[str]) -> None:
    title = context.command_path
    parts.append(f"{'#' * (title.count(' ') + 2)} `{title}`")
    usage = " ".join(command.collect_usage_pieces(context))
    parts.append(f"```text\n{title} {usage}\n```")
    parts.append(_prose(inspect.cleandoc(command.help or "")))
    for heading, records in _groups(command, context).items():
        if records:
            rows = "\n".join(f"| `{_cell(option)}` | {_cell(text)} |" for option, text in records)
            parts.append(f"| {heading} | |\n|---|---|\n{rows}")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            sub = command.get_command(context, name)
            if sub is not None and not sub.hidden:
                with click.Context(sub, info_name=name, parent=context) as inner:
                    _command(sub, inner, parts)


def _groups(command: click.Command, context: click.Context) -> dict[str, list[tuple[str, str]]]:
    if isinstance(command, GroupedCommand):
        return command.option_groups(context)
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    return {"Options": [record for record in records if record is not None]}


def _prose(text: str) -> str:
    """Click's help text: paragraphs flow, those after a \\b keep their lines."""
    paragraphs = []
    for paragraph in text.replace("\f", "").split("\n\n"):
        lines = paragraph.strip("\n").splitlines()
        if lines and lines[0].strip() == "\b":
            kept = "\n".join(lines[1:])
            paragraphs.append(f"```text\n{kept}\n```")
        elif lines:
            paragraphs.append(" ".join(line.strip() for line in lines).replace("<", "&lt;"))
    return "\n\n".join(paragraphs)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def errors_page() -> str:
    """The taxonomy and the exit codes."""
    rows = []
    for error in taxonomy():
        meaning = " ".join((error.__doc__ or "").split("\n\n")[0].split())
        if error.code == "INTERNAL":
            meaning = "An unexpected error, that is, a bug."
        again = "yes" if error.retryable else "no"
        rows.append(
            f"| `{error.code}` | {error.number} | {error.http_status} | {error.exit_code} | {again} | {meaning} |"
        )
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in exits.MEANINGS.items())
    return f"""# Errors

{MADE}
Every error has a stable code and number; messages may change. In Python all of them are `shizi.ShiziError`; an error
has `code`, `number`, `http_status`, `exit_code` and `retryable`, and its text says what is wrong, which limit it is
about and what to do. A blank page is a result without text and no error.

| code | number | HTTP | exit code | again? | meaning |
|---|---|---|---|---|---|
{chr(10).join(rows)}

"again?" says whether the same request may succeed later without a change.

## Exit codes

When a single file fails, the exit code is its error's own, from the table above. Beside these there are:

| exit code | meaning |
|---|---|
{codes}

In a batch a file that cannot be read costs that one file: its error is printed, `--report FILE` lists it as JSON, and
with `--format json --stream` it is a line of its own, `{{"file": …, "error": {{"code": …, "number": …, "message": …,
"retryable": …}}}}`. Only a model that cannot be loaded, or a key that a server refuses, ends the whole batch.
"""


def settings_page() -> str:
    """The environment variables."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = (
            ""
            if field.default is None
            else f"`{str(field.default).lower() if field.default is False else field.default}`"
        )
        rows.append(f"| `{variable(name)}` | {default} | {field.description} |")
    return f"""# Settings

{MADE}
The command line reads these environment variables; its options win over them. A variable that begins with `SHIZI_` and
is not in this list is an error, so that a typing error is not ignored. The Python API reads none but `SHIZI_HOME`.

| variable | default | meaning |
|---|---|---|
{chr(10).join(rows)}
"""


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
