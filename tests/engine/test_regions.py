from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.engine.regions import Regions, open_region
from shizi.errors import InvalidRequest, NotFound
from shizi.imaging.shared import Block, SharedPixels, new_name


@pytest.fixture
def key() -> Iterator[str]:
    """A block of 30 bytes: 0, 1, 2 and so on."""
    block = Block(SharedPixels(new_name(), 2, 5), lambda _size: None)
    os.pwrite(block.descriptor, bytes(range(30)), 0)
    yield block.pixels.name
    block.release()


def test_a_region_shows_its_part_of_the_block(key: str) -> None:
    regions = Regions(2)
    regions.register("mine", f"/{key}", 10, 20)
    assert bytes(regions.view("mine", 5, 3)) == bytes([15, 16, 17])
    assert {name: (region.key, region.offset, region.size) for name, region in regions.status("").items()} == {
        "mine": (f"/{key}", 10, 20)
    }


def test_what_is_looked_at_stays_when_the_region_goes(key: str) -> None:
    regions = Regions(2)
    regions.register("mine", key, 0, 30)
    view = regions.view("mine", 0, 30)
    regions.unregister("mine")
    regions.unregister("mine")
    assert bytes(view) == bytes(range(30))
    with pytest.raises(NotFound):
        regions.view("mine", 0, 1)
    with pytest.raises(NotFound):
        regions.status("mine")


def test_a_region_is_read_only(key: str) -> None:
    view = open_region(key, 0, 30).memory
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1


@pytest.mark.parametrize(("offset", "size"), [(0, 31), (30, 1), (-1, 5), (0, 0), (2**63, 5)])
def test_a_region_lies_in_its_block(key: str, offset: int, size: int) -> None:
    with pytest.raises(InvalidRequest):
        open_region(key, offset, size)
    regions = Regions(1)
    regions.register("mine", key, 0, 30)
    with pytest.raises(InvalidRequest):
        regions.view("mine", offset, size)


def test_names_and_number_are_bounded(key: str) -> None:
    regions = Regions(1)
    regions.register("mine", key, 0, 30)
    with pytest.raises(InvalidRequest, match="is registered"):
        regions.register("mine", key, 0, 30)
    with pytest.raises(InvalidRequest, match="max_regions"):
        regions.register("other", key, 0, 30)
    with pytest.raises(InvalidRequest, match="1 to 256"):
        regions.register("x" * 257, key, 0, 30)
    regions.unregister("")
    regions.register("other", key, 0, 30)


@given(st.text(max_size=40))
def test_no_other_file_is_opened(key: str) -> None:
    with pytest.raises((InvalidRequest, NotFound)):
        open_region(key, 0, 1)


@pytest.mark.parametrize("key", ["../../etc/passwd", "/../etc/passwd", "a/b", "", ".", "..", "a\0b", "x" * 300])
def test_paths_are_no_keys(key: str) -> None:
    with pytest.raises(InvalidRequest, match="the key of the shared memory"):
        open_region(key, 0, 1)
