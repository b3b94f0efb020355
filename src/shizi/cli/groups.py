"""A command whose options stand under headings in `--help`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import click


class GroupedCommand(click.Command):
    """Subclasses say which option (by its parameter's name) stands under which heading; the rest under "Other"."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The lists of options."""
        for heading, records in self.option_groups(ctx).items():
            with formatter.section(heading):
                formatter.write_dl(records)

    def option_groups(self, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
        """Heading → (option, help) of its options."""
        of = {name: heading for heading, names in self.headings.items() for name in names}
        groups: dict[str, list[tuple[str, str]]] = {heading: [] for heading in self.headings}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                groups.setdefault(of.get(parameter.name or "", "Other"), []).append(record)
        return groups
