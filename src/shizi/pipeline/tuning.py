"""What the engine does to be fast, each part of it with a switch: for measuring what it brings, and for machines unlike ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """Switches of the engine's optimisations; the defaults are the fastest that read no worse.

    Attributes:
        squeeze: lines are cut out a little narrower than they are, so that they fill the widths that the recogniser is run at.
        last_layer_apart: all characters are looked at only where none of the common ones stands out.
        streams: lines are read side by side, each by one thread, not one after another by all threads.
        small_aside: small pictures have a detector with one thread of its own while others are worked on. For whoever has many
            callers: it takes memory, and brings nothing to one who reads one document after the other.
    """

    squeeze: bool = True
    last_layer_apart: bool = True
    streams: bool = True
    small_aside: bool = False
