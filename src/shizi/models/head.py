"""The last layer of a recogniser: from what the network saw in each column to the likeliest character.

It has a row for each of 18,710 characters and takes a fifth of the network's time in bfloat16, though text is made of few. So it is
taken off the network and worked out in two steps, as an adaptive softmax is (Grave et al., "Efficient softmax approximation for
GPUs", 2017): for the common characters alone in the network itself, then for all of them in the columns where none of those
stands out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from shizi.batching.claim import Claim
from shizi.errors import ModelLoadFailed
from shizi.models.charset import Charset
from shizi.models.common import common_classes
from shizi.models.ctc import BLANK, LIKELY, best_path, of_other_forms
from shizi.models.han import other_classes
from shizi.models.onnx_file import cut_linear
from shizi.models.streams import Streams
from shizi.runtime.base import Batch, Runtime, Session, SessionOptions

# Columns are padded to a multiple of it, so that the runtime meets few shapes, and no more are worked out in one piece: with all
# classes they take 75 kB each, and several threads share them.
_STEP, _MOST = 8, 32
# Padded pixels of a line that take as long as a column.
_COLUMN = 8
# A layer with no more classes than this is worked out in one step.
_FEW = 4096
# Fewer characters to be taken for one another: the common ones are sure at lower logits.
_RELIEF = 3.0


class Found(NamedTuple):
    """Classes, their probabilities, and those of their other forms (`shizi.models.han`; 0 where there is none), of one shape."""

    classes: NDArray[np.intp]
    scores: NDArray[np.float32]
    others: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a batch show.

    Attributes:
        classes: the likeliest class of each, (B, T).
        scores: its probability, (B, T).
        others: the probability of its other form (`shizi.models.han`), 0 where it has none or the class is sure, (B, T).
        unsettled: columns of which that is not known yet, counted through the batch, (K,).
        hidden: what the network saw there, (K, features).
    """

    classes: NDArray[np.intp]
    scores: NDArray[np.float32]
    others: NDArray[np.float32]
    unsettled: NDArray[np.intp]
    hidden: NDArray[np.float32]


class Head(Protocol):
    """Makes characters of what a network saw."""

    def look(self, output: Batch) -> Columns:
        """The network's output, (B, T, …), of which nothing is kept, as columns."""
        ...

    def settle(self, batches: Sequence[Columns], streams: Streams, claim: Claim | None = None) -> None:
        """Fills in the unsettled columns of all batches, on behalf of a request."""
        ...


MakeHead = Callable[[NDArray[np.intp] | None], Head]
"""Makes a head for some of the classes, ascending, the blank among them; None for all."""


@dataclass(frozen=True, slots=True)
class WholeHead:
    """For networks whose last layer is not taken off: their output is probabilities already.

    Attributes:
        allowed: the classes that may be read; None for all.
        others: each class's other form (`shizi.models.han`), (C,); None where nobody asks for them.
    """

    allowed: NDArray[np.intp] | None = None
    others: NDArray[np.intp] | None = None

    def look(self, output: Batch) -> Columns:
        """See `Head.look`."""
        nothing = np.zeros(0, dtype=np.intp)
        return Columns(*_best_path(output, self.allowed, self.others), nothing, np.zeros((0, 0), dtype=np.float32))

    def settle(self, batches: Sequence[Columns], streams: Streams, claim: Claim | None = None) -> None:
        """See `Head.settle`: there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The common classes, with whose logits the network's output begins.

    Attributes:
        classes: which classes these are.
        sure: where the greatest logit is at least this, no other class was ever seen to be likelier (`Card.sure_logit`).
    """

    classes: NDArray[np.intp]
    sure: float


class LinearHead:
    """The last layer on its own.

    Args:
        session: (N, features) -> (N, classes), probabilities.
        allowed: the classes that may be read; None for all.
        shortlist: what the network says of the common classes; None where its output is the features alone.
        others: each class's other form (`shizi.models.han`), (C,).
    """

    def __init__(
        self,
        session: Session,
        allowed: NDArray[np.intp] | None,
        shortlist: Shortlist | None,
        others: NDArray[np.intp],
    ) -> None:
        self._session = session
        self._others = others
        self._allowed = allowed
        self._shortlist = shortlist
        if shortlist is not None:
            # What may be taken for a common character that was asked for is mostly a character that was not.
            self._sure = shortlist.sure if allowed is None else shortlist.sure - _RELIEF
            self._asked = np.ones(len(shortlist.classes), np.bool_)
            if allowed is not None:
                self._asked = np.isin(shortlist.classes, allowed)

    def look(self, output: Batch) -> Columns:
        """See `Head.look`."""
        rows = output.reshape(-1, output.shape[-1])
        if self._shortlist is None:
            unsettled = np.zeros(0, dtype=np.intp)
            return _columns(output.shape, self._work_out(rows), unsettled, rows)
        count = len(self._shortlist.classes)
        common, scores, logits = _likeliest_of_logits(rows[:, :count], self._sure)
        classes = self._shortlist.classes[common]
        doubtful = logits < self._sure
        foreign = np.flatnonzero(~self._asked[common])
        if len(foreign):
            # What surely is a character that may not be read, and looks like none that may, is nothing.
            others = rows[np.ix_(foreign, np.flatnonzero(self._asked))].max(axis=1)
            surely = logits[foreign] >= self._shortlist.sure
            hopeless = surely & (others < logits[foreign] + math.log(LIKELY))
            classes[foreign[hopeless]] = BLANK
            doubtful[foreign] = ~hopeless
        found = Found(classes, scores, np.zeros_like(scores))
        return _columns(output.shape, found, np.flatnonzero(doubtful), rows[:, count:])

    def settle(self, batches: Sequence[Columns], streams: Streams, claim: Claim | None = None) -> None:
        """See `Head.settle`."""
        hidden = np.concatenate([columns.hidden for columns in batches])
        parts = [hidden[start : start + _MOST] for start in range(0, len(hidden), _MOST)]
        shapes = [len(part) for part in parts]
        costs = [_COLUMN * columns for columns in shapes]
        if len(parts) == 1:
            found = [self._work_out(parts[0])]  # shorter than the wait for a piece that another request has begun
        else:
            found = streams.run(lambda number: self._work_out(parts[number]), shapes, costs=costs, claim=claim)
        if not found:
            return
        classes, scores, others = (np.concatenate(values) for values in zip(*found, strict=True))
        start = 0
        for columns in batches:
            stop = start + len(columns.unsettled)
            columns.classes.reshape(-1)[columns.unsettled] = classes[start:stop]
            columns.scores.reshape(-1)[columns.unsettled] = scores[start:stop]
            columns.others.reshape(-1)[columns.unsettled] = others[start:stop]
            start = stop

    def _work_out(self, hidden: NDArray[np.float32]) -> Found:
        """Among all classes: (N, features) -> (N,), (N,), (N,)."""
        return self._session.run(_pad(hidden), partial(_likeliest, len(hidden), self._allowed, self._others))


def load_recognizer(
    runtime: Runtime, model: Path, options: SessionOptions, charset: Charset, sure_logit: float | None
) -> tuple[Session, MakeHead]:
    """Loads a recogniser with its last layer apart, or whole where it does not end in one.

    Args:
        runtime: loads both parts.
        model: the ONNX file.
        options: how both run.
        charset: the model's characters.
        sure_logit: see `Card.sure_logit`.

    Raises:
        ModelLoadFailed: the file is no model that this runtime can run.
    """
    try:
        cut = cut_linear(model.read_bytes())
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise ModelLoadFailed(f"{model} is not an ONNX file: {error}") from error
    others = other_classes(charset.characters)
    if cut is None:
        return runtime.load(model, options), partial(WholeHead, others=others)
    body, layer = cut
    first, shortlist = None, None
    if sure_logit is not None and len(layer.bias) > _FEW:
        shortlist = Shortlist(common_classes(charset.characters), sure_logit)
        first = layer.only(shortlist.classes).passing_on()
    whole = runtime.load(model, replace(options, pixels=None), content=layer.onnx(softmax=True))

    def make(allowed: NDArray[np.intp] | None) -> Head:
        return LinearHead(whole, allowed, shortlist, others)

    return runtime.load(model, options, content=body.onnx(first)), make


def _pad(hidden: NDArray[np.float32]) -> Batch:
    """(N, features) with rows of zeros up to the next of the few lengths."""
    padded = np.zeros((-(-len(hidden) // _STEP) * _STEP, hidden.shape[1]), dtype=np.float32)
    padded[: len(hidden)] = hidden
    return padded


def _likeliest(count: int, allowed: NDArray[np.intp] | None, others: NDArray[np.intp], probabilities: Batch) -> Found:
    """The likeliest class of the first `count` columns, and the probabilities of it and its other form: (N, C) -> 3 x (count,)."""
    return Found(*(values[0] for values in _best_path(probabilities[None, :count], allowed, others)))


def _best_path(probabilities: Batch, allowed: NDArray[np.intp] | None, others: NDArray[np.intp] | None) -> Found:
    classes, scores = best_path(probabilities, allowed)
    nothing = np.zeros_like(scores)
    return Found(classes, scores, nothing if others is None else of_other_forms(probabilities, classes, others))


def _likeliest_of_logits(
    logits: Batch, sure: float
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """The likeliest class, its probability and its logit.

    Where the logit is below `sure`, and where it is the blank's, nobody asks for the probability, which stands as 1.
    """
    classes = logits.argmax(axis=1)
    best = logits[np.arange(len(logits)), classes]
    scores = np.ones(len(logits), dtype=np.float32)
    shown = (classes != BLANK) & ~(best < sure)
    relative = logits[shown]
    relative -= best[shown, None]
    scores[shown] = 1 / np.exp(relative, out=relative).sum(axis=1)
    return classes, scores, best


def _columns(shape: tuple[int, ...], found: Found, unsettled: NDArray[np.intp], hidden: NDArray[np.float32]) -> Columns:
    classes, scores, others = found.classes, found.scores, found.others
    return Columns(
        classes.reshape(shape[:2]), scores.reshape(shape[:2]), others.reshape(shape[:2]), unsettled, hidden[unsettled]
    )
