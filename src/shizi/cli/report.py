"""What is said about a batch: messages on stderr, the summary, the failure report, lines of NDJSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from shizi.cli import exits
from shizi.cli.reading import Outcome
from shizi.cli.terminal import one_line, said
from shizi.errors import ShiziError

SCHEMA: Final = "shizi-report/1"


@dataclass(slots=True)
class Tally:
    """Counts of a running batch; only the command's own thread touches it."""

    total: int
    skipped: int = 0
    read: int = 0
    failures: list[tuple[str, ShiziError]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one finished file."""
        if outcome.error is None:
            self.read += 1
        else:
            self.failures.append((outcome.job.input.name, outcome.error))

    def exit_code(self) -> int:
        """0, the error's own code where the only file failed, or 1."""
        if not self.failures:
            return exits.OK
        return self.failures[0][1].exit_code if self.total == 1 else exits.PARTIAL

    def summary(self, seconds: float) -> str:
        """One sentence for a person."""
        parts = [f"{self.read} of {self.total} files read"]
        if self.skipped:
            parts.append(f"{self.skipped} were done before")
        if self.failures:
            parts.append(f"{len(self.failures)} failed")
        return f"shizi: {', '.join(parts)}, in {seconds:.1f} s"

    def report(self, seconds: float, interrupted: bool) -> bytes:
        """The failure report, as JSON."""
        record = {
            "schema": SCHEMA,
            "total": self.total,
            "read": self.read,
            "skipped": self.skipped,
            "failed": len(self.failures),
            "interrupted": interrupted,
            "seconds": round(seconds, 3),
            "failures": [{"file": encodable(name), "error": error_record(error)} for name, error in self.failures],
        }
        return (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode()


def error_record(error: ShiziError) -> dict[str, Any]:
    """An error for programs."""
    return {"code": error.code, "number": error.number, "message": str(error), "retryable": error.retryable}


def error_line(name: str, error: ShiziError) -> str:
    """An error for people."""
    return f"shizi: {one_line(name)}: {said(error)} ({error.code})"


def ndjson(outcome: Outcome) -> bytes:
    """One line: the file's name, then the document's own fields (as the format LINE has them) or the error."""
    record: dict[str, Any] = {"file": encodable(outcome.job.input.name)}
    if outcome.error is not None:
        record["error"] = error_record(outcome.error)
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    if outcome.error is not None:
        return line + b"\n"
    return line[:-1] + b"," + outcome.data[1:]  # not parsed: that would take eight times the room of a large document


def encodable(name: str) -> str:
    """A file's name as UTF-8 can carry it: bytes that are none become `?`."""
    return name.encode("utf-8", "replace").decode()
