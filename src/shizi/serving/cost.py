"""What a request costs this machine, learnt from what earlier ones took."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from shizi.types import Line

# First guesses, in seconds for a million pixels; a dozen pages replace them.
_DECODE, _DETECT, _READ = 0.02, 0.12, 20.0
# Of a page: decoding, detecting and reading begin and end, whatever its size.
_FIXED = 0.002
# Padded pixels of lines for each pixel that the detector sees: a page of text has 0.015, a photograph next to none.
_LINES = 0.015
# The detector never sees more pixels of a page.
_MOST_DETECTED = 1_050_000
# Height to which lines are scaled before they are read.
_LINE_HEIGHT = 48
# Where nothing is read, lines count as so little of the page: a logarithm has no nought.
_LEAST_LINES = 1e-4
# An observation moves an estimate by at most this factor, before it is weighted: a page that met a busy moment is no new machine.
_MOST = math.log(4.0)
# Weight of the n-th observation is 1/n, but never less than this, so that a slower machine is noticed within some fifty pages.
_LEAST_WEIGHT = 0.03
# Of what was foreseen to take less, fewer seconds are no surprise; one moves the factor by this much of its logarithm. The factor
# is shared by all tenants, and no more than 2: else a few documents of one of them would keep long ones of all others out.
_FORESEEN, _STEP, _MOST_SURPRISED = 0.5, 0.05, math.log(2.0)
# Seconds of work under way that make one observation of the pace.
_WINDOW = 0.5


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of the machine, in pixels.

    Attributes:
        decoded: pixels of the pages as they are decoded.
        detected: pixels as the detector sees them.
        lines: padded pixels of the lines that are read; None where that is not known yet.
    """

    decoded: float
    detected: float
    lines: float | None = None


def page_work(width: int, height: int) -> Work:
    """What a page of this size asks for before anything else is known of it."""
    return Work(width * height, min(width * height, _MOST_DETECTED))


def line_pixels(lines: Iterable[Line]) -> float:
    """Pixels of width that lines have at the height at which they are read."""
    total = 0.0
    for line in lines:
        (left, top), (right, middle), (_, bottom) = line.polygon[0], line.polygon[1], line.polygon[2]
        width, height = math.hypot(right - left, middle - top), math.hypot(line.polygon[2][0] - right, bottom - middle)
        total += _LINE_HEIGHT * max(width, height) / max(1.0, min(width, height))
    return total


@dataclass(frozen=True, slots=True)
class Stages:
    """Seconds that the stages of a request took; None where a stage did not run."""

    decode: float | None = None
    detect: float | None = None
    read: float | None = None


class Learnt:
    """A positive number that observations are spread around by factors, such as a speed.

    Kept as a logarithm and moved by bounded steps, so that no single observation counts for much (Huber, "Robust estimation of
    a location parameter", 1964).
    """

    def __init__(self, guess: float) -> None:
        self._log = math.log(guess)
        self._count = 0

    @property
    def value(self) -> float:
        """The estimate."""
        return math.exp(self._log)

    def observe(self, value: float) -> None:
        """Learns from one observation; what is not positive and finite says nothing."""
        if not (value > 0 and math.isfinite(value)):
            return
        self._count += 1
        step = max(-_MOST, min(_MOST, math.log(value) - self._log))
        self._log += step * max(1 / (1 + self._count), _LEAST_WEIGHT)


class CostModel:
    """Seconds that a request keeps the machine busy. Pure: what it knows, it was told."""

    def __init__(self) -> None:
        self._decode, self._detect, self._read = (Learnt(guess / 1e6) for guess in (_DECODE, _DETECT, _READ))
        self._lines = Learnt(_LINES)
        self._sizes: dict[int, Learnt] = {}

    def knows(self, size: int) -> bool:
        """Whether documents of about so many bytes were seen."""
        return _octave(size) in self._sizes

    def of_size(self, size: int, guess: Work) -> float:
        """Seconds of a document of so many bytes, by what became of the guesses at others of about as many."""
        known = self._sizes.get(_octave(size))
        return self.seconds(guess) * (1.0 if known is None else known.value)

    def learn_size(self, size: int, guess: Work, work: Work) -> None:
        """Tells how much work a document of so many bytes was.

        A document's bytes foretell its work better than its pixels, for blank paper and sky take few of them. Of scans,
        photographs, pages and screens the logarithms of seconds correlate with those of bytes by .93, with those of pixels by .90.
        """
        factor = self.seconds(work) / self.seconds(guess)
        self._sizes.setdefault(_octave(size), Learnt(1.0)).observe(factor)

    def seconds(self, work: Work) -> float:
        """What this work is likely to take, if it has the machine as requests had it so far."""
        lines = work.detected * self._lines.value if work.lines is None else work.lines
        return (
            _FIXED + work.decoded * self._decode.value + work.detected * self._detect.value + lines * self._read.value
        )

    def observe(self, work: Work, took: Stages) -> None:
        """Learns from work that is done."""
        if took.decode is not None and work.decoded:
            self._decode.observe(took.decode / work.decoded)
        if took.detect is not None and work.detected:
            self._detect.observe(took.detect / work.detected)
        if work.lines is None:
            # How much was read is not known: then reading is learnt for each pixel that was looked at.
            if took.read is not None and work.detected:
                self._read.observe(took.read / (work.detected * self._lines.value))
            return
        if took.read is not None and work.lines:
            self._read.observe(took.read / work.lines)
        if work.detected:
            self._lines.observe(max(work.lines / work.detected, _LEAST_LINES))

    def rates(self) -> dict[str, float]:
        """Seconds for a million pixels of each stage, for metrics."""
        return {"decode": 1e6 * self._decode.value, "detect": 1e6 * self._detect.value, "read": 1e6 * self._read.value}


class Surprise:
    """How many times longer than foreseen all but a few requests take: what others ask for and pages hold is never quite known.

    A quantile of what is observed, followed by steps up that are as much longer than those down as it is to be exceeded less often
    (Robbins and Monro, "A stochastic approximation method", 1951), on logarithms; never less than 1.
    """

    def __init__(self, exceeded: float = 0.02) -> None:
        """Begins with no surprise; `exceeded` is the share of requests that may take longer still."""
        self._exceeded = exceeded
        self._log = 0.0

    @property
    def value(self) -> float:
        """The factor."""
        return math.exp(self._log)

    def observe(self, foreseen: float, took: float) -> None:
        """Learns from one request, in seconds; infinitely many where it never ended.

        Of one that was foreseen to take next to nothing only a long time is a surprise. But it counts: where the factor is so
        high that nothing longer is let in, it is what brings it down again.
        """
        is_longer = took > max(foreseen, _FORESEEN) * self.value
        self._log += _STEP * ((1 - self._exceeded) if is_longer else -self._exceeded)
        self._log = min(max(self._log, 0.0), _MOST_SURPRISED)


def _octave(size: int) -> int:
    """Documents of the same one differ by a factor of two at most; there are 40 up to a terabyte."""
    return size.bit_length()


class Pace:
    """Seconds of expected work that the machine does in a second: how parallel it is, and how busy with other things.

    Args:
        guess: what to expect before anything was done.
    """

    def __init__(self, guess: float = 1.0) -> None:
        self._pace = Learnt(guess)
        self._since: float | None = None
        self._busy = 0.0
        self._done = 0.0

    @property
    def value(self) -> float:
        """The estimate."""
        return self._pace.value

    def begin(self, now: float) -> None:
        """From now on there is work."""
        self._since = now if self._since is None else self._since

    def done(self, seconds: float, now: float, *, idle: bool) -> None:
        """Expected seconds of work that have been done: 0 where work was dropped; `idle` where nothing is left to do."""
        if self._since is None:
            return
        self._busy += now - self._since
        self._since = None if idle else now
        self._done += seconds
        if self._busy >= _WINDOW and self._done:
            self._pace.observe(self._done / self._busy)
            self._busy = self._done = 0.0
