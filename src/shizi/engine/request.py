"""What a ModelInfer asks for: the message looked through, every value in its bounds, pixels left where they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shizi.batching.claim import Lane
from shizi.engine import protocol
from shizi.engine.layer import layer_from_json
from shizi.engine.options import HostOptions
from shizi.engine.parameters import deadline_of, flag, lane_of, options_of, tenant_of, text, values_of, whole
from shizi.engine.raw import split
from shizi.engine.regions import Regions, open_region
from shizi.errors import ImageTooLarge, InvalidRequest, NotFound
from shizi.imaging.pages import PageImage
from shizi.pipeline.options import ReadOptions

MODEL, VERSION = "shizi", "1"
SHARED_KEY: Final = "shared_memory_key"
_REGION, _SIZE, _OFFSET = "shared_memory_region", "shared_memory_byte_size", "shared_memory_offset"
_PARAMETERS: Final = ("options", "deadline_ms", "tenant", "lane", "alone", "width", "height")
_LONGEST_ID = 256
_CHANNELS = 3
_PREFIX = 4  # bytes before each element of a BYTES tensor: its length, little-endian


@dataclass(frozen=True, slots=True, eq=False)
class PageRequest:
    """One page to be read.

    Attributes:
        id: that the client gave.
        width: pixels.
        height: pixels.
        pixels: (height, width, 3) uint8; None for a page of which only the text layer is wanted.
        text_layer: JSON, not yet looked at.
        options: what was asked for.
        deadline_s: seconds that the client allows; None where it said nothing.
        tenant: who pays for it.
        lane: of the work that it belongs to.
        alone: whether nothing else may be read meanwhile.
    """

    id: str
    width: int
    height: int
    pixels: NDArray[np.uint8] | None
    text_layer: bytes | None
    options: ReadOptions
    deadline_s: float | None
    tenant: str
    lane: Lane
    alone: bool

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return (0 if self.pixels is None else self.pixels.nbytes) + len(self.text_layer or b"")

    def image(self) -> PageImage:
        """The page as the reader takes it.

        Raises:
            InvalidRequest: the text layer is none.
        """
        layer = None if self.text_layer is None else layer_from_json(self.text_layer)
        return PageImage(1, self.pixels, self.width, self.height, layer)


@dataclass(frozen=True, slots=True)
class RequestParser:
    """Reads requests.

    Attributes:
        host: the bounds.
        regions: what clients registered; None where shared memory is not to be had.
    """

    host: HostOptions
    regions: Regions | None

    def __call__(self, data: bytes) -> PageRequest:
        """The request that these bytes of a ModelInferRequest are.

        Raises:
            InvalidRequest: a value is wrong; the message says which.
            ImageTooLarge: a value is over its limit.
            NotFound: there is no such model, or no such shared memory.
        """
        head, raw = split(data, self.host.max_head_bytes)
        message = protocol.parse("ModelInferRequest", head)
        check_model(message.model_name, message.model_version)
        if len(message.id) > _LONGEST_ID:
            raise InvalidRequest(f"id has more than {_LONGEST_ID} characters")
        _check_outputs(message.outputs)
        parameters = values_of(message.parameters, _PARAMETERS, "the request")
        pixels, layer = self._inputs(message.inputs, list(raw))
        width, height = self._extent(pixels, parameters)
        return PageRequest(
            message.id,
            width,
            height,
            pixels,
            layer,
            options_of(parameters),
            deadline_of(parameters.get("deadline_ms")),
            tenant_of(parameters),
            lane_of(parameters),
            flag(parameters.get("alone", False), "alone"),
        )

    def _inputs(
        self, tensors: Sequence[protocol.Message], raw: list[memoryview]
    ) -> tuple[NDArray[np.uint8] | None, bytes | None]:
        pixels: NDArray[np.uint8] | None = None
        layer: bytes | None = None
        seen: set[str] = set()
        for tensor in tensors:
            if tensor.name not in ("image", "text_layer") or tensor.name in seen:
                raise InvalidRequest("inputs are image and text_layer, each at most once")
            seen.add(tensor.name)
            if tensor.name == "image":
                pixels = self._pixels(tensor, raw)
            else:
                layer = self._layer(tensor, raw)
        if raw:
            raise InvalidRequest(f"{len(raw)} raw_input_contents belong to no input; give one for each, in their order")
        return pixels, layer

    def _pixels(self, tensor: protocol.Message, raw: list[memoryview]) -> NDArray[np.uint8]:
        shape = tuple(tensor.shape)
        if tensor.datatype != "UINT8" or len(shape) != _CHANNELS or shape[2] != _CHANNELS or min(shape) < 1:
            raise InvalidRequest("image must be UINT8 of the shape [height, width, 3], RGB")
        self._check_extent(shape[1], shape[0])
        content = self._content(tensor, raw, math.prod(shape))
        if len(content) != math.prod(shape):
            raise InvalidRequest(f"image has {len(content)} bytes, its shape says {math.prod(shape)}")
        return np.frombuffer(content, dtype=np.uint8).reshape(shape)

    def _layer(self, tensor: protocol.Message, raw: list[memoryview]) -> bytes:
        if tensor.datatype != "BYTES" or list(tensor.shape) != [1]:
            raise InvalidRequest("text_layer must be BYTES of the shape [1]")
        if tensor.HasField("contents"):
            if len(tensor.contents.bytes_contents) != 1:
                raise InvalidRequest("text_layer must have one element in its bytes_contents")
            content = bytes(tensor.contents.bytes_contents[0])
        else:
            whole = self._content(tensor, raw, None)
            content = bytes(whole[_PREFIX : _PREFIX + self.host.max_text_layer_bytes + 1])
            if len(whole) < _PREFIX or int.from_bytes(whole[:_PREFIX], "little") != len(whole) - _PREFIX:
                raise InvalidRequest("text_layer must be one element: four bytes of its length, then the bytes")
        if len(content) > self.host.max_text_layer_bytes:
            raise ImageTooLarge(
                f"the text layer is over the limit (max_text_layer_bytes) of {self.host.max_text_layer_bytes} bytes; "
                "leave it out, or raise the limit"
            )
        return content

    def _content(self, tensor: protocol.Message, raw: list[memoryview], size: int | None) -> memoryview:
        """Bytes of an input: the next raw contents, or shared memory."""
        names = (SHARED_KEY, _REGION, _SIZE, _OFFSET)
        values = values_of(tensor.parameters, names, f"input {tensor.name}")
        if tensor.HasField("contents"):
            raise InvalidRequest(f"give input {tensor.name} as raw_input_contents or in shared memory, not as contents")
        if not values:
            if not raw:
                raise InvalidRequest(
                    f"input {tensor.name} has no raw_input_contents; give one for each, in their order"
                )
            return raw.pop(0)
        if self.regions is None:
            raise InvalidRequest("shared memory is there only at a Unix socket; send pixels as raw_input_contents")
        offset = whole(values.get(_OFFSET, 0), _OFFSET)
        size = whole(values[_SIZE], _SIZE) if _SIZE in values else size
        if size is None or (SHARED_KEY in values) == (_REGION in values):
            raise InvalidRequest(f"input {tensor.name} needs {SHARED_KEY} or {_REGION}, and its {_SIZE}")
        if SHARED_KEY in values:
            return open_region(text(values[SHARED_KEY], SHARED_KEY), offset, size).memory.data
        return self.regions.view(text(values[_REGION], _REGION), offset, size).data

    def _extent(self, pixels: NDArray[np.uint8] | None, parameters: dict[str, protocol.Message]) -> tuple[int, int]:
        """Width and height."""
        given = [name in parameters for name in ("width", "height")]
        if pixels is not None:
            if any(given):
                raise InvalidRequest("width and height are for a page without image; leave them out")
            return pixels.shape[1], pixels.shape[0]
        if not all(given):
            raise InvalidRequest(
                "the input image is missing; a page of text_layer alone needs the parameters width and height"
            )
        width, height = (whole(parameters[name], name) for name in ("width", "height"))
        self._check_extent(width, height)
        return width, height

    def _check_extent(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise InvalidRequest(f"a page of {width} x {height} pixels is none")
        if max(width, height) > self.host.max_side or width * height > self.host.max_pixels:
            raise ImageTooLarge(
                f"the page is {width} x {height} pixels; the limits are {self.host.max_side} of a side (max_side) and "
                f"{self.host.max_pixels} in all (max_pixels): scale it down, or raise the limits"
            )


def check_model(name: str, version: str) -> None:
    """Refuses a model that is not this engine's.

    Raises:
        NotFound: with the one that is there.
    """
    if name != MODEL or version not in ("", VERSION):
        raise NotFound(f"this engine has the model {MODEL!r} of version {VERSION!r} alone")


def _check_outputs(outputs: Sequence[protocol.Message]) -> None:
    for output in outputs:
        if output.name != "page":
            raise InvalidRequest("the only output is page")
        if output.parameters:
            raise InvalidRequest("the output page takes no parameters; it comes in the message")
