"""From a checked header to RGB pixels, with Pillow's plugin of that one format and nothing else of it.

Pixels are converted in strips straight into the upright result, so that the peak is Pillow's own image plus the result,
whatever the mode and the orientation.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from shizi.errors import CorruptDocument, ImageTooLarge, OutOfMemory, ShiziError
from shizi.imaging.headers.frame import Frame, exif_orientation
from shizi.imaging.jpeg import decode_jpeg

Pixels = NDArray[np.uint8]

# A strip of four bytes a pixel stays in the cache of a processor, and what it takes beside the image is soon forgotten.
STRIP_PIXELS = 100_000


class _Tiff(TiffImagePlugin.TiffImageFile):
    """TIFF as stored: not turned by the plugin, and bounded by our limits in place of Pillow's global one."""

    def load_prepare(self) -> None:
        if self._im is None:
            self.im = Image.new(
                self.mode, self.size, None
            ).im  # size is as stored: no orientation in the minimal stream
        ImageFile.ImageFile.load_prepare(self)

    def load_end(self) -> None:
        pass


_PLUGINS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "BMP": BmpImagePlugin.BmpImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "TIFF": _Tiff,
    "WEBP": WebPImagePlugin.WebPImageFile,
}


def decode_frame(frame: Frame) -> Pixels:
    """(H, W, 3) RGB of a frame whose header passed the limits.

    Raises:
        CorruptDocument: it cannot be decoded.
        ImageTooLarge: Pillow's own bound for WebP was passed (the caller's limits are higher than that).
        OutOfMemory: the system did not give the memory.
    """
    with _decoding(f"{frame.format} file"):
        pixels = decode_jpeg(frame) if frame.format == "JPEG" else None
        return _decode_by_pillow(frame) if pixels is None else _upright(pixels, frame.orientation)


def _decode_by_pillow(frame: Frame) -> Pixels:
    with _PLUGINS[frame.format](io.BytesIO(frame.data)) as image:
        if image.size != (frame.width, frame.height):
            raise CorruptDocument(
                f"the {frame.format} file says {frame.width} x {frame.height} pixels at one place and "
                f"{image.width} x {image.height} at another; it is damaged"
            )
        image.load()
        return to_rgb(image, frame)


def decode_pil(image: Image.Image) -> Pixels:
    """(H, W, 3) RGB of a PIL image, turned by the EXIF block in its info; the image stays open.

    Raises:
        CorruptDocument: its file cannot be decoded.
        OutOfMemory: the system did not give the memory.
    """
    with _decoding("PIL image"):
        image.load()
        exif = image.info.get("exif", b"")
        orientation = exif_orientation(exif) if isinstance(exif, bytes) else 1
        return to_rgb(image, Frame("PIL", image.width, image.height, orientation, b"", 0))


@contextmanager
def _decoding(what: str) -> Iterator[None]:
    try:
        yield
    except ShiziError:
        raise
    except MemoryError as error:
        raise OutOfMemory(f"not enough memory to decode the {what}") from error
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"the {what} is over a bound of the decoder itself: {error}") from error
    except Exception as error:  # whatever a decoder's Python code trips over in a damaged file
        raise CorruptDocument(f"the {what} cannot be decoded, it is truncated or damaged: {error}") from error


def to_rgb(image: Image.Image, frame: Frame) -> Pixels:
    """(H, W, 3) RGB of a loaded image of any mode, transparent parts over white, turned as frame.orientation says."""
    width, height = image.size
    turned = frame.orientation >= 5
    result = np.empty((width, height, 3) if turned else (height, width, 3), np.uint8)
    stored = as_stored(result, frame.orientation)
    convert = _converter(image, frame)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        stored[top:bottom] = convert(image.crop((0, top, width, bottom)))
    return result


def _upright(stored: Pixels, orientation: int) -> Pixels:
    if orientation == 1:
        return stored
    height, width = stored.shape[:2]
    result = np.empty((width, height, 3) if orientation >= 5 else stored.shape, np.uint8)
    as_stored(result, orientation)[:] = stored
    return result


def as_stored(upright: Pixels, orientation: int) -> Pixels:
    """A view of an upright image in which rows and columns run as in the file; orientation as in EXIF tag 274."""
    views: dict[int, Callable[[Pixels], Pixels]] = {
        2: lambda pixels: pixels[:, ::-1],
        3: lambda pixels: pixels[::-1, ::-1],
        4: lambda pixels: pixels[::-1],
        5: lambda pixels: pixels.swapaxes(0, 1),
        6: lambda pixels: np.rot90(pixels, 1),
        7: lambda pixels: np.rot90(pixels.swapaxes(0, 1), 2),
        8: lambda pixels: np.rot90(pixels, -1),
    }
    return views[orientation](upright) if orientation in views else upright


def _converter(image: Image.Image, frame: Frame) -> Callable[[Image.Image], NDArray[Any]]:
    """How to make (h, w, 3) or (h, w, 1) of a strip, decided once for the whole image."""
    mode = image.mode
    if mode.startswith("I;16"):
        return lambda strip: _scale(np.asarray(strip), 0.0, float(frame.peak), frame.inverted)
    if mode in ("I", "F"):
        low, high = _range(image)
        return lambda strip: _scale(np.asarray(strip), low, high, frame.inverted)
    if mode == "LAB":
        return _lab
    key = image.info.get("transparency")
    deep_key = mode == "RGB" and isinstance(key, tuple) and max(key) > 255  # a key of 16 bits fits no pixel of 8
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or (key is not None and not deep_key):
        # Transparent throughout is an unused channel, not a blank page.
        even = mode in ("RGBA", "LA") and image.getchannel("A").getextrema() in ((0, 0), (255, 255))
        return (lambda strip: np.asarray(strip.convert("RGB"))) if even else _over_white
    if mode == "RGB":
        return np.asarray
    if mode == "L":
        return lambda strip: cv2.cvtColor(np.asarray(strip), cv2.COLOR_GRAY2RGB)
    return lambda strip: np.asarray(_plain(strip).convert("RGB"))


def _plain(strip: Image.Image) -> Image.Image:
    return strip.convert("LA") if strip.mode == "La" else strip


def _over_white(strip: Image.Image) -> NDArray[Any]:
    rgba = np.asarray(_plain(strip).convert("RGBA"))
    alpha = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _scale(values: NDArray[Any], low: float, high: float, inverted: bool) -> NDArray[Any]:
    scaled = (values.astype(np.float32) - low) * (255.0 / max(high - low, 1e-30))
    grey: Pixels = np.clip(np.nan_to_num(scaled, nan=0.0) + 0.5, 0, 255).astype(np.uint8)
    grey = np.bitwise_not(grey) if inverted else grey
    return grey.reshape(*grey.shape, 1)


def _range(image: Image.Image) -> tuple[float, float]:
    """Black and white of a mode that does not say: the narrowest usual range that holds all values, else their own."""
    low, high = np.inf, -np.inf
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = np.asarray(image.crop((0, top, image.width, min(top + rows, image.height))))
        finite = strip[np.isfinite(strip)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    usual = [(0.0, 1.0)] if image.mode == "F" else []
    usual += [(0.0, 255.0), (0.0, 65535.0), (-32768.0, 32767.0)]
    if low > high:
        return 0.0, 1.0
    return next((pair for pair in usual if pair[0] <= low and high <= pair[1]), (low, high))


def _lab(strip: Image.Image) -> NDArray[Any]:
    """CIE L*a*b* (D50, as TIFF has it) to sRGB: CIE 15, IEC 61966-2-1, primaries adapted by Bradford."""
    stored = np.frombuffer(strip.tobytes(), np.uint8).reshape(strip.height, strip.width, 3)
    lightness = (stored[..., 0].astype(np.float32) * (100 / 255) + 16) / 116
    a = stored[..., 1].view(np.int8).astype(np.float32)
    b = stored[..., 2].view(np.int8).astype(np.float32)
    cubes = np.stack([lightness + a / 500, lightness, lightness - b / 200], axis=-1)
    white = np.array([0.9642, 1.0, 0.8249], np.float32)
    xyz = white * np.where(cubes > 6 / 29, cubes**3, (cubes - 4 / 29) * (3 * (6 / 29) ** 2))
    to_linear = np.array([[3.1339, -1.6169, -0.4906], [-0.9788, 1.9161, 0.0335], [0.0719, -0.2290, 1.4052]], np.float32)
    linear = np.clip(xyz @ to_linear.T, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    pixels: Pixels = (srgb * 255 + 0.5).astype(np.uint8)
    return pixels
