"""Large images are decoded one at a time, whoever asks for them."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import pytest
from PIL import Image

from shizi.errors import CorruptDocument
from shizi.imaging import decode
from shizi.imaging.decode import Source, open_pages
from shizi.imaging.headers.frame import Frame
from shizi.imaging.raster import Pixels, decode_frame, decode_pil


def stored(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, kind)
    return out.getvalue()


class Watch:
    """Counts how many threads decode at the same time."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def around(self, work: Callable[[], Pixels]) -> Pixels:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.05)
        with self._lock:
            self._now -= 1
        return work()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()

    def frame_decoder(frame: Frame) -> Pixels:
        return watch.around(lambda: decode_frame(frame))

    def image_decoder(image: Image.Image) -> Pixels:
        return watch.around(lambda: decode_pil(image))

    monkeypatch.setattr(decode, "decode_frame", frame_decoder)
    monkeypatch.setattr(decode, "decode_pil", image_decoder)
    return watch


def read_at_once(sources: list[Source]) -> None:
    widths: list[int] = []
    start = threading.Barrier(len(sources))

    def read(source: Source) -> None:
        start.wait()
        widths.extend(page.width for page in open_pages(source))

    threads = [threading.Thread(target=read, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert widths == [40] * len(sources)


def test_large_images_never_overlap(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "LARGE", 1000)
    read_at_once([stored("PNG"), stored("TIFF"), stored("JPEG"), Image.new("RGB", (40, 30))])
    assert watch.most == 1


def test_others_do_not_wait(watch: Watch) -> None:
    read_at_once([stored("PNG"), stored("TIFF"), stored("JPEG"), Image.new("RGB", (40, 30))])
    assert watch.most > 1


def test_a_large_image_that_is_damaged_frees_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "LARGE", 1000)
    with pytest.raises(CorruptDocument):
        list(open_pages(stored("PNG")[:60]))
    read_at_once([stored("PNG")])
