"""The last layer in two steps says what it would say in one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shizi.models.ctc import BLANK, best_path
from shizi.models.head import Columns, LinearHead, Shortlist, WholeHead
from shizi.models.onnx_file import Linear
from shizi.models.streams import Streams
from shizi.runtime.base import Batch, Input, T
from shizi.runtime.fake import Answer, FakeSession

CLASSES, FEATURES = 40, 12
COMMON = np.array([0, 1, 2, 3, 5, 8, 13, 21, 34])
SURE = 6.0
WAIT = 20.0
# Classes 4 and 6 are two forms of one character, and so are the common 13 and 30; the rest have one form.
OTHERS = np.arange(CLASSES)
OTHERS[[4, 6, 13, 30]] = 6, 4, 30, 13
Array = NDArray[np.float32]
Classes = NDArray[np.intp]


def layer(seed: int = 0) -> Linear:
    random = np.random.default_rng(seed)
    weights = random.standard_normal((CLASSES, FEATURES))
    return Linear(weights.astype(np.float32), random.standard_normal(CLASSES).astype(np.float32))


def logits(linear: Linear) -> Answer:
    # Not `@`, whose last digits depend on the number of rows.
    return lambda batch: np.asarray(np.einsum("nf,cf->nc", batch, linear.weights) + linear.bias)


def softmax(values: Array) -> Array:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def probabilities(linear: Linear) -> Answer:
    return lambda batch: softmax(logits(linear)(batch))


class Counting:
    """A session that remembers how many rows it was given at a time."""

    def __init__(self, answer: Answer) -> None:
        self._session = FakeSession(answer)
        self.rows: list[int] = []

    def run(self, batch: Input, read: Callable[[Batch], T]) -> T:
        self.rows.append(len(batch))
        return self._session.run(batch, read)


class Both:
    """A head over a layer, what the network before it says, and the layer's session."""

    def __init__(
        self, linear: Linear, allowed: Classes | None = None, sure: float = SURE, common: Classes = COMMON
    ) -> None:
        self.whole = Counting(probabilities(linear))
        self.head = LinearHead(self.whole, allowed, Shortlist(common, sure), OTHERS)
        self._first = logits(linear.only(common))

    def output(self, seen: Batch) -> Batch:
        """What the network says of what it saw: the logits of the common classes, then the features."""
        rows = seen.reshape(-1, seen.shape[-1])
        both = np.concatenate([self._first(rows), rows], axis=1)
        return both.astype(np.float32).reshape(*seen.shape[:2], -1)

    def look(self, seen: Batch) -> Columns:
        return self.head.look(self.output(seen))

    def read(self, batches: Sequence[Batch], streams: Streams) -> list[Columns]:
        return read(self.head, [self.output(batch) for batch in batches], streams)


@pytest.fixture(scope="module")
def streams() -> Iterator[Streams]:
    with closing(Streams(3)) as made:
        yield made


def hidden(seed: int, *shape: int, spread: float = 3.0) -> Batch:
    return (spread * np.random.default_rng(seed).standard_normal((*shape, FEATURES))).astype(np.float32)


def one_hot(classes: Sequence[int], height: float) -> tuple[Linear, Batch]:
    """A layer whose logits are its input, and columns that show these classes with this logit."""
    plain = Linear(np.eye(CLASSES, dtype=np.float32), np.zeros(CLASSES, dtype=np.float32))
    return plain, (height * np.eye(CLASSES)[list(classes)])[None].astype(np.float32)


def read(head: LinearHead, batches: Sequence[Batch], streams: Streams) -> list[Columns]:
    columns = [head.look(batch) for batch in batches]
    head.settle(columns, streams)
    return columns


def test_what_is_sure_never_meets_the_whole_layer(streams: Streams) -> None:
    linear, batch = one_hot([0, 1, 13, 34, 0, 2], 9)
    both = Both(linear)
    (columns,) = both.read([batch], streams)
    assert columns.classes.tolist() == [[0, 1, 13, 34, 0, 2]]
    assert columns.unsettled.size == 0
    assert both.whole.rows == []


def test_what_is_just_sure_has_its_own_probability() -> None:
    linear, batch = one_hot([1, 13, 2], SURE)
    batch[0, 2] = np.nextafter(batch[0, 2], np.float32(-1))
    both = Both(linear)
    columns = both.look(batch)
    assert columns.unsettled.tolist() == [2]
    share = np.exp(SURE) / (np.exp(SURE) + len(COMMON) - 1)
    assert columns.scores[0, :2] == pytest.approx(share, abs=1e-5)


def test_what_is_no_number_is_never_sure() -> None:
    linear, batch = one_hot([1, 2], 9)
    both = Both(linear)
    output = both.output(batch)
    output[0, 1, 2] = np.nan
    assert np.isnan(both.head.look(output).scores[0, 1])


def test_what_is_not_sure_is_read_by_the_whole_layer(streams: Streams) -> None:
    linear, batch = one_hot([0, 4, 13, 39, 0, 2], 9)
    both = Both(linear)
    columns = both.look(batch)
    assert columns.unsettled.tolist() == [1, 3]
    assert np.array_equal(columns.hidden, batch[0, [1, 3]])
    both.head.settle([columns], streams)
    assert columns.classes.tolist() == [[0, 4, 13, 39, 0, 2]]
    share = np.exp(9) / (np.exp(9) + CLASSES - 1)
    assert columns.scores[0, [1, 3]] == pytest.approx(share, abs=1e-5)
    assert len(both.whole.rows) == 1


def test_a_few_columns_do_not_wait_for_what_another_request_has_begun() -> None:
    linear, batch = one_hot([0, 4, 13, 39], 9)
    both = Both(linear)
    begun, done = threading.Event(), threading.Event()

    def other(_number: int) -> bool:
        begun.set()
        return done.wait(WAIT)

    with closing(Streams(1)) as busy, ThreadPoolExecutor(1) as caller:
        answer = caller.submit(busy.run, other, "a")
        assert begun.wait(WAIT)
        columns = both.look(batch)
        assert columns.unsettled.tolist() == [1, 3]
        both.head.settle([columns], busy)
        assert not answer.done()
        done.set()
        assert answer.result(WAIT) == [True]
    assert columns.classes.tolist() == [[0, 4, 13, 39]]


def test_a_common_character_that_is_not_sure_is_looked_at_twice(streams: Streams) -> None:
    linear, batch = one_hot([13, 13], SURE - 0.1)
    batch[0, 1, 13] = SURE
    batch[0, 0, 6] = SURE + 1  # likelier than the common one, and not among them
    batch[0, 1, 6] = SURE + 1  # likewise, but the common one is sure: this is what `sure` promises never to be so
    both = Both(linear)
    (columns,) = both.read([batch], streams)
    assert columns.unsettled.tolist() == [0]
    assert columns.classes.tolist() == [[6, 13]]


def test_the_score_of_what_is_sure_is_its_share_among_the_common_ones(streams: Streams) -> None:
    linear, batch = one_hot([13, 0], 7)
    (columns,) = Both(linear).read([batch], streams)
    assert columns.scores[0, 0] == pytest.approx(np.exp(7) / (np.exp(7) + len(COMMON) - 1), rel=1e-5)
    assert columns.scores[0, 1] == 1  # a blank's, which nobody asks for


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 90)), min_size=1, max_size=6), st.integers(0, 999))
def test_batches_settle_in_their_own_places(streams: Streams, shapes: list[tuple[int, int]], seed: int) -> None:
    linear = layer(seed)
    batches = [hidden(seed + index, *shape) for index, shape in enumerate(shapes)]
    both = Both(linear, sure=np.inf)  # nothing is sure
    found = both.read(batches, streams)
    for batch, columns in zip(batches, found, strict=True):
        expected = probabilities(linear)(batch.reshape(-1, FEATURES)).reshape(*batch.shape[:2], -1)
        assert columns.classes.shape == batch.shape[:2]
        assert np.array_equal(columns.classes, expected.argmax(axis=2))
        assert columns.scores == pytest.approx(expected.max(axis=2), abs=1e-5)
    assert all(rows % 8 == 0 and rows <= 128 for rows in both.whole.rows)
    assert sum(both.whole.rows) < sum(count * width for count, width in shapes) + 32


@given(st.integers(1, 3), st.integers(1, 100), st.integers(0, 999))
def test_two_steps_read_what_a_plain_softmax_does(streams: Streams, count: int, width: int, seed: int) -> None:
    """The columns are spread, as a network's are: what they show has the greatest logit by far."""
    random = np.random.default_rng(seed)
    shown = random.integers(0, CLASSES, count * width)
    linear, batch = one_hot(shown.tolist(), 12)
    batch = (batch + random.uniform(-2, 2, batch.shape)).astype(np.float32).reshape(count, width, CLASSES)
    (columns,) = Both(linear).read([batch], streams)
    expected = softmax(batch)
    assert np.array_equal(columns.classes, expected.argmax(axis=2))
    rest = columns.classes != BLANK
    surplus = (columns.scores - expected.max(axis=2))[rest]  # the share of those that are not common
    assert ((surplus > -1e-6) & (surplus < 0.02)).all()
    unsettled = np.zeros(count * width, dtype=np.bool_)
    unsettled[columns.unsettled] = True
    assert np.array_equal(unsettled, ~np.isin(shown, COMMON))


def test_rows_of_padding_are_never_seen(streams: Streams) -> None:
    """The layer makes class 7 of zeros, with a logit of 25."""
    linear, batch = one_hot([1, 4, 39] * 11, 30)
    linear = Linear(linear.weights, np.where(np.arange(CLASSES) == 7, 25, 0).astype(np.float32))
    both = Both(linear, sure=28, common=np.array([0, 1, 2, 7]))
    (columns,) = both.read([batch], streams)
    assert columns.classes.tolist() == [[1, 4, 39] * 11]
    assert columns.scores.shape == (1, 33)
    assert columns.unsettled.tolist() == [at for at in range(33) if at % 3]
    assert sum(both.whole.rows) > 22  # there are some
    both.whole.rows.clear()
    (columns,) = read(LinearHead(both.whole, None, None, OTHERS), [batch], streams)
    assert columns.classes.tolist() == [[1, 4, 39] * 11]
    assert sum(both.whole.rows) > 33


def test_without_a_shortlist_all_classes_are_looked_at_once(streams: Streams) -> None:
    linear, batch = layer(3), hidden(3, 2, 50)
    head = LinearHead(FakeSession(probabilities(linear)), None, None, OTHERS)
    (columns,) = read(head, [batch], streams)
    expected = probabilities(linear)(batch.reshape(-1, FEATURES)).reshape(2, 50, -1)
    assert columns.unsettled.size == 0
    assert np.array_equal(columns.classes, expected.argmax(axis=2))
    assert columns.scores == pytest.approx(expected.max(axis=2), abs=1e-6)


@pytest.mark.parametrize("shortlist", [True, False])
def test_what_was_doubtful_says_how_likely_its_other_form_is(streams: Streams, shortlist: bool) -> None:
    linear, batch = one_hot([0, 4, 6, 13, 13, 30, 9], 5)
    batch[0, 2, 4] = batch[0, 4, 30] = 4  # nearly as likely as 6 and as 13
    batch[0, 3, 13] = 2 * SURE
    both = Both(linear, sure=SURE)
    (columns,) = (
        both.read([batch], streams) if shortlist else read(LinearHead(both.whole, None, None, OTHERS), [batch], streams)
    )
    assert columns.classes.tolist() == [[0, 4, 6, 13, 13, 30, 9]]
    expected = probabilities(linear)(batch[0])
    others = [expected[at, form] for at, form in enumerate([0, 6, 4, 30, 30, 13, 0])]
    others[0] = others[6] = 0  # these have no other form
    if shortlist:
        others[3] = 0  # surely the common one
    assert columns.others[0] == pytest.approx(others, abs=1e-6)


@pytest.mark.parametrize("shortlist", [True, False])
def test_only_the_allowed_classes_are_read(streams: Streams, shortlist: bool) -> None:
    linear, batch = one_hot([2, 4, 13, 30, 0, 5, 39, 5, 39], 9)
    # Neither 5 nor 39 may be read; the first of each looks a good deal like 4, the last two like nothing that may.
    batch[0, 5:7, 4] = 8
    both = Both(linear, np.array([0, 2, 4, 13, 30]), sure=9.5)
    (columns,) = (
        both.read([batch], streams)
        if shortlist
        else read(LinearHead(both.whole, np.array([0, 2, 4, 13, 30]), None, OTHERS), [batch], streams)
    )
    assert columns.classes.tolist() == [[2, 4, 13, 30, 0, 4, 4, BLANK, BLANK]]
    of_all = np.exp(-1) / (1 + np.exp(-1))  # not of the allowed
    assert columns.scores[0, 5:7] == pytest.approx(of_all, abs=0.01)


@given(st.integers(0, 999), st.integers(1, 60), st.sets(st.integers(1, CLASSES - 1)))
def test_a_restricted_head_reads_the_best_path(streams: Streams, seed: int, width: int, few: set[int]) -> None:
    linear, batch = layer(seed), hidden(seed, 2, width)
    allowed = np.array([BLANK, *sorted(few)])
    (columns,) = Both(linear, allowed, sure=np.inf).read([batch], streams)
    expected = probabilities(linear)(batch.reshape(-1, FEATURES)).reshape(2, width, -1).astype(np.float32)
    classes, scores = best_path(expected, allowed)
    assert np.array_equal(columns.classes, classes)
    assert columns.scores == pytest.approx(scores, abs=1e-5)


@given(st.integers(0, 999), st.integers(1, 70))
def test_a_column_reads_the_same_whatever_stands_beside_it(streams: Streams, seed: int, width: int) -> None:
    linear, batch = layer(seed), hidden(seed, 2, width)
    both = Both(linear)
    (together,) = both.read([batch], streams)
    turned = both.read([batch[:, ::-1], hidden(seed + 1, 3, 40)], streams)[0]
    alone = both.read([batch[row : row + 1, at : at + 1] for row in range(2) for at in range(width)], streams)
    assert np.array_equal(turned.classes[:, ::-1], together.classes)
    assert [int(columns.classes[0, 0]) for columns in alone] == together.classes.ravel().tolist()
    assert np.concatenate([columns.scores.ravel() for columns in alone]) == pytest.approx(together.scores.ravel())


def test_nothing_of_a_runtimes_own_buffer_is_kept(streams: Streams) -> None:
    """The fake session writes NaN over its output as soon as it was read."""
    linear, batch = layer(5), hidden(5, 2, 20)
    both = Both(linear)
    columns = FakeSession(both.output).run(batch, both.head.look)
    both.head.settle([columns], streams)
    (expected,) = Both(linear).read([batch], streams)
    assert np.array_equal(columns.classes, expected.classes)
    assert np.isfinite(columns.scores).all()


def test_no_batches_settle_nothing(streams: Streams) -> None:
    linear, batch = one_hot([0, 0], 9)
    both = Both(linear)
    (columns,) = both.read([batch], streams)
    both.head.settle([columns, columns], streams)
    assert both.whole.rows == []


def test_a_head_for_whole_models_reads_the_best_path(streams: Streams) -> None:
    output = softmax(hidden(6, 2, 9))
    allowed = np.array([0, 3, 4])
    for head in (WholeHead(), WholeHead(allowed)):
        columns = head.look(output)
        head.settle([columns], streams)
        classes, scores = best_path(output, head.allowed)
        assert np.array_equal(columns.classes, classes)
        assert np.array_equal(columns.scores, scores)
        assert not columns.others.any()
        assert columns.unsettled.size == 0


def test_a_head_for_whole_models_says_how_likely_other_forms_are() -> None:
    output = softmax(hidden(6, 2, 30))
    columns = WholeHead(others=OTHERS).look(output)
    with_another = OTHERS[columns.classes] != columns.classes
    assert 0 < with_another.sum() < with_another.size
    assert not columns.others[~with_another].any()
    rows, places = np.nonzero(with_another)
    assert np.array_equal(columns.others[with_another], output[rows, places, OTHERS[columns.classes[with_another]]])


def test_fewer_columns_meet_the_whole_layer_where_few_characters_are_asked_for() -> None:
    linear, batch = one_hot([1, 13, 1], SURE - 1)
    batch[0, 2] *= 0.3
    assert Both(linear).look(batch).unsettled.tolist() == [0, 1, 2]
    # The first is sure enough among few; the second is none of them; the last is hardly anything.
    assert Both(linear, np.array([0, 1, 2])).look(batch).unsettled.tolist() == [1, 2]


def test_a_common_character_that_surely_may_not_be_read_never_meets_the_whole_layer(streams: Streams) -> None:
    linear, batch = one_hot([13, 13, 13], SURE)
    batch[0, 1, 5] = SURE - 2.5  # more than a twentieth as likely, and it may be read
    batch[0, 2, 13] = SURE - 0.1  # not sure
    both = Both(linear, np.array([0, 4, 5]))
    columns = both.look(batch)
    assert columns.unsettled.tolist() == [1, 2]
    assert columns.classes[0, 0] == BLANK
    both.head.settle([columns], streams)
    (expected,) = read(
        LinearHead(FakeSession(probabilities(linear)), np.array([0, 4, 5]), None, OTHERS), [batch], streams
    )
    assert columns.classes.tolist() == expected.classes.tolist() == [[BLANK, 5, BLANK]]
