"""What libraries print by themselves stays off the terminal: it would tear the progress line apart and name no file."""

from __future__ import annotations

import contextlib
import ctypes


def silence_tiff() -> None:
    """Keep libtiff from printing: it writes a line to standard error for every damaged row of a fax.

    Errors reach Pillow all the same. The setting is one pointer for the whole process, so it is the program's to make and not
    the library's; where Pillow holds libtiff in itself and exports nothing (Windows), everything stays as it is.
    """
    from PIL import _imaging

    with contextlib.suppress(AttributeError, OSError):
        # Looked up through Pillow's own module, which finds the very libtiff that it is linked with.
        set_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_handler(None)
