"""What a terminal may be shown of texts and names that others chose."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text for a terminal: control characters, which a hostile name or document may hold, are shown and not obeyed."""
    return "".join(
        character if character.isprintable() or character in "\n\t\f" else ascii(character)[1:-1] for character in text
    )


def one_line(name: str) -> str:
    """The name of a file in a line of ours: as `printable`, and a line break in it cannot begin a line that looks like ours."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)


def said(error: Exception) -> str:
    """What an error says, on one line: libraries put line breaks into their words, empty lines, or no words at all."""
    return one_line(" ".join(str(error).split())).rstrip(": ") or type(error).__name__
