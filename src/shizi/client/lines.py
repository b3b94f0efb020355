"""Lines of an answer that comes piece by piece."""

from __future__ import annotations

from typing import Final

from shizi.errors import ImageTooLarge

LONGEST_LINE: Final = 4 * 2**20


class Lines:
    """Puts lines together from pieces; what comes after the last line end is none."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[str]:
        """The lines that became whole, without their ends (LF or CR LF).

        Raises:
            ImageTooLarge: one has more than LONGEST_LINE bytes.
        """
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if any(len(line) > LONGEST_LINE for line in (*whole, self._rest)):
            raise ImageTooLarge(
                f"a line of the server's answer has more than {LONGEST_LINE} bytes; read fewer pages at a time"
            )
        return [line.removesuffix(b"\r").decode("utf-8", "replace") for line in whole]
