"""JSON from people who may lie: what two parsers could read in two ways is refused."""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

_LONGEST_NUMBER: Final = 32


def strict_json(text: bytes) -> object:
    """The value of a UTF-8 text.

    Beyond the standard library's reading, a name that comes twice in an object, `NaN`, `Infinity`, numbers of more than 32
    characters or too large for a double, a byte order mark, other encodings and too deep nesting are refused.

    Raises:
        ValueError: it is no such text; the message never quotes it.
    """
    try:
        decoded = text.decode("utf-8")
        return json.loads(
            decoded, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("no UTF-8") from None
    except json.JSONDecodeError:
        raise ValueError("no JSON") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name comes twice")
    return made


def _constant(_name: str) -> NoReturn:
    raise ValueError("no finite number")


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("a number is too long")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("a number is too long")
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("no finite number")
    return value
