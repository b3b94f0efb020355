"""The engine: `OCR` reads images and PDFs."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Literal, Self

import numpy as np

from shizi.batching.claim import Claim
from shizi.errors import InvalidRequest, ShiziError
from shizi.imaging.decode import PageImage, Source, open_pages
from shizi.imaging.limits import Limits
from shizi.models.charset import canonical
from shizi.models.counts import Batches
from shizi.models.detector import Detection
from shizi.models.detectors import SMALL
from shizi.models.folders import compiled_root
from shizi.models.store import ModelStore
from shizi.models.streams import Streams
from shizi.pipeline.budget import Budget
from shizi.pipeline.compose import compose
from shizi.pipeline.draft import Draft
from shizi.pipeline.options import ReadOptions, TextLayerUse
from shizi.pipeline.orientation import orient, orient_by_classifier, settle
from shizi.pipeline.parts import load_parts
from shizi.pipeline.reader import LineReader
from shizi.pipeline.script import agree
from shizi.pipeline.split import split_long, uncovered
from shizi.pipeline.tuning import Tuning
from shizi.runtime.base import Runtime, SessionOptions
from shizi.runtime.choose import PrecisionName, RuntimeName, choose, load_runtime
from shizi.runtime.machine import cpu_count
from shizi.types import Document, ModelInfo, Page

# Lines read side by side; each takes memory for its activations.
MOST_STREAMS = 4
_MAX_THREADS = 256
# Documents that `read_many` works on at a time; a third would only take memory.
_AT_A_TIME = 2


class OCR:
    """Reads text from images and PDFs.

    One object serves any number of threads: nothing in it changes after it was made. Its models are loaded (and, the first time,
    fetched and verified) when it is made.

    Args:
        tier: a tier of the catalogue (`shizi models list`): "general" reads 50 languages, "light" is quicker.
        runtime: "auto", "onnx", "openvino", or a runtime of one of these names that is already there.
        precision: "auto", "float32", or with OpenVINO on CPUs that have it "bfloat16" or "int8".
        threads: CPU threads of one model run; default: what this process may use by its quota.
        store: where models come from; default: the user's cache.
        limits: bounds of decoding.
        tuning: switches of the optimisations.

    Raises:
        InvalidRequest: an argument is unknown.
        ModelLoadFailed: a model cannot be had, or is not the published one.
    """

    def __init__(
        self,
        tier: str = "general",
        *,
        runtime: RuntimeName | Runtime = "auto",
        precision: PrecisionName = "auto",
        threads: int | None = None,
        store: ModelStore | None = None,
        limits: Limits | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        if threads is not None and not 1 <= threads <= _MAX_THREADS:
            raise InvalidRequest(f"threads is {threads}; it must be between 1 and {_MAX_THREADS}")
        tuning = tuning or Tuning()
        choice = choose(runtime if isinstance(runtime, str) else runtime.name, precision)
        self._limits = limits or Limits()
        loaded = load_runtime(choice.runtime, compiled_root()) if isinstance(runtime, str) else runtime
        threads = threads or cpu_count()
        self._streams = Streams(min(threads, MOST_STREAMS) if tuning.streams else 1)
        whole = SessionOptions(threads, choice.precision)
        parts = load_parts(loaded, store or ModelStore(), tier, whole, self._streams, tuning)
        self._recognizer, self._detector, self._direction = parts.recognizer, parts.detect, parts.direction
        self.models: tuple[ModelInfo, ...] = parts.models

    def read(
        self,
        source: Source,
        *,
        detect: bool = True,
        classify: bool = True,
        recognize: bool = True,
        pages: Collection[int] | None = None,
        languages: Sequence[str] | None = None,
        password: str | None = None,
        text_layer: TextLayerUse = "auto",
        min_score: float | None = None,
    ) -> Document:
        """Reads one document.

        Args:
            source: a path, bytes, a file object, a PIL image, or RGB uint8 pixels (H, W, 3).
            detect: find lines; False where the picture is one ready-cut line.
            classify: look whether doubtful lines stand on their head.
            recognize: read the lines; False for their places alone.
            pages: numbers, from 1; default all.
            languages: BCP 47 tags; only characters of these languages are read.
            password: of an encrypted PDF.
            text_layer: of a PDF: "auto" uses it where it is sound, "ignore" reads pixels only, "only" never reads pixels.
            min_score: lines whose characters are less likely than this, on average, are left out; default 0.7, for a
                single stroke (1, l, 一, …) 0.97, for what was not found on a page but given as a line 0.

        Raises:
            ShiziError: one of `shizi.errors`; the message says what to do.
        """
        options = ReadOptions(detect, classify, recognize, pages, languages, password, text_layer, min_score)
        return self._read(source, options)

    def read_page(
        self, image: PageImage, options: ReadOptions, claim: Claim | None = None
    ) -> tuple[Page, Mapping[str, float]]:
        """Reads one page that was decoded elsewhere.

        Args:
            image: the page.
            options: as for `read`; `pages` and `password` are not looked at.
            claim: of the request that it belongs to: whose share of the engine it uses, until when, and whether somebody
                still waits for it; default: one of its own, without a deadline.

        Returns:
            The page, and the milliseconds of each stage.

        Raises:
            ShiziError: as `read`; DeadlineExceeded where the claim ends before the page is read.
        """
        clock: defaultdict[str, float] = defaultdict(float)
        claim = claim or Claim()
        claim.check(time.monotonic())
        page = self._page([image], options, self._reader(options, claim), clock, lend=True)
        return page, _milliseconds(clock)

    def read_many(
        self,
        sources: Iterable[Source],
        *,
        on_error: Literal["raise", "return"] = "raise",
        options: ReadOptions | None = None,
    ) -> Iterator[Document | ShiziError]:
        """Reads documents, two at a time so that one is decoded while the other is read; yields them in order.

        Args:
            sources: as for `read`; taken one by one, as results are taken.
            on_error: "raise" ends at the first document that cannot be read; "return" yields its error in its place.
            options: the same for all; as for `read`.
        """
        waiting: deque[Future[Document]] = deque()
        with ThreadPoolExecutor(_AT_A_TIME, "shizi-read") as pool:
            try:
                for source in sources:
                    waiting.append(pool.submit(self._read, source, options or ReadOptions()))
                    if len(waiting) > _AT_A_TIME:
                        yield _result(waiting.popleft(), on_error)
                while waiting:
                    yield _result(waiting.popleft(), on_error)
            finally:
                for future in waiting:
                    future.cancel()

    @property
    def batches(self) -> Batches:
        """What the recogniser ran until now."""
        return self._recognizer.batches.total

    def close(self) -> None:
        """Ends the threads that read lines; the object cannot read any more."""
        self._streams.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, source: Source, options: ReadOptions) -> Document:
        reader = self._reader(options, Claim())
        clock: defaultdict[str, float] = defaultdict(float)
        pages: list[Page] = []
        images = open_pages(
            source,
            limits=self._limits,
            pages=options.pages,
            password=options.password,
            text_layer=options.text_layer,
        )
        budget = Budget(self._limits)
        while True:
            start = time.perf_counter()
            # Nothing holds a page here while it is read, or the next one is decoded: two large ones would be one too many.
            held = list(islice(images, 1))
            clock["decode"] += time.perf_counter() - start
            if not held:
                return Document(tuple(pages), self.models, _milliseconds(clock))
            # An array is its owner's: it stays whatever is done here.
            pages.append(self._page(held, options, reader, clock, lend=held[0].pixels is source))
            budget.spend(pages[-1])

    def _reader(self, options: ReadOptions, claim: Claim) -> LineReader:
        direction = self._direction if options.classify else None
        return LineReader(self._recognizer, direction, self._languages(options.languages), claim)

    def _page(
        self,
        held: list[PageImage],
        options: ReadOptions,
        reader: LineReader,
        clock: defaultdict[str, float],
        *,
        lend: bool,
    ) -> Page:
        """Reads the page in a list, and takes it out: unless it is lent, a large one is no longer in memory while lines are read."""
        image = held.pop()
        start = time.perf_counter()
        with self._streams.hold(reader.claim) if _is_quick(image, options) else nullcontext():
            draft = self._detect(image, options)
            if not lend and options.recognize and draft is not None and image.pixels is not None:
                draft.let_page_go(image.pixels)
                image = replace(image, pixels=None)
            detected = time.perf_counter()
            self._recognize(draft, options, reader)
        clock["detect"] += detected - start
        clock["recognize"] += time.perf_counter() - detected
        return compose(image, draft, options)

    def _recognize(self, draft: Draft | None, options: ReadOptions, reader: LineReader) -> None:
        if draft is not None and options.recognize:
            orient([draft], reader)
            reader.read_rest([draft])
            reader.mark_vertical([draft])
            settle(draft)
            agree(draft, options.languages)
        elif draft is not None and options.classify:
            orient_by_classifier(draft, reader)

    def _detect(self, image: PageImage, options: ReadOptions) -> Draft | None:
        """Lines to be read from the page's pixels; None where its text layer says all."""
        layer = image.text_layer
        sound = layer is not None and layer.sound
        if (
            image.pixels is None
            or options.text_layer == "only"
            or (layer is not None and sound and not layer.has_images)
        ):
            return None
        if options.detect:
            found = self._detector(image.pixels)
        else:
            corners = [[0, 0], [image.width, 0], [image.width, image.height], [0, image.height]]
            found = Detection(np.array([corners], dtype=np.float32), np.ones(1, dtype=np.float32))
        if layer is not None and sound:
            found = uncovered(
                found, np.array([line.polygon for line in layer.lines], dtype=np.float32).reshape(-1, 4, 2)
            )
        found = split_long(image.pixels, found) if options.detect else found
        return Draft(image.pixels, found.quads, found.scores)

    def _languages(self, languages: Sequence[str] | None) -> frozenset[str] | None:
        """The languages as the catalogue writes them; None for all."""
        if languages is None:
            return None
        known = self._recognizer.languages
        if isinstance(languages, str) or not languages:
            raise InvalidRequest(
                f"languages is {languages!r}; give a list of tags such as ['zh', 'en'], or None for all"
            )
        tags = [canonical(language) for language in languages]
        for language, tag in zip(languages, tags, strict=True):
            if tag not in known:
                raise InvalidRequest(
                    f"language {language!r} is not among those of this tier: {', '.join(sorted(known))}"
                )
        return frozenset(tags)


def _is_quick(image: PageImage, options: ReadOptions) -> bool:
    return options.detect and image.width * image.height <= SMALL


def _result(future: Future[Document], on_error: Literal["raise", "return"]) -> Document | ShiziError:
    try:
        return future.result()
    except ShiziError as error:
        if on_error == "raise":
            raise
        return error


def _milliseconds(clock: Mapping[str, float]) -> dict[str, float]:
    return {stage: 1000 * seconds for stage, seconds in clock.items()}
