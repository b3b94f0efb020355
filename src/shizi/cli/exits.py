"""Exit codes of the command line that are not an error's own; all of them are a stable contract."""

from __future__ import annotations

from typing import Final

OK: Final = 0
PARTIAL: Final = 1
USAGE: Final = 2
UNUSABLE: Final = 69
BUG: Final = 70
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
TERMINATED: Final = 143

MEANINGS: Final[dict[int, str]] = {
    OK: "everything was read",
    PARTIAL: "some of several files could not be read; each is named on stderr and in the `--report`",
    USAGE: "a wrong option, or a parameter that is not allowed",
    UNUSABLE: "`shizi doctor`: this installation cannot read; it says what to do",
    BUG: "an unexpected error, that is, a bug; `shizi --debug …` prints the traceback",
    INTERRUPTED: "stopped by Ctrl-C; finished outputs are kept, `--resume` goes on from there",
    PIPE_CLOSED: "the program that read our output ended first (`shizi read … | head`)",
    TERMINATED: "stopped by SIGTERM, which does what Ctrl-C does",
}
