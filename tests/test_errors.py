"""The taxonomy: a table that programs outside rely on."""

from __future__ import annotations

import pytest

from shizi import errors
from shizi.errors import ShiziError, TryLater, taxonomy

# code: number, HTTP status, exit code, retryable. Lines join; none changes.
TABLE = {
    "INTERNAL": (5000, 500, 70, False),
    "INVALID_REQUEST": (4000, 422, 2, False),
    "UNSUPPORTED_FORMAT": (4001, 415, 65, False),
    "CORRUPT_DOCUMENT": (4002, 422, 65, False),
    "ENCRYPTED_DOCUMENT": (4004, 422, 77, False),
    "UNAUTHENTICATED": (4010, 401, 77, False),
    "FORBIDDEN": (4030, 403, 77, False),
    "NOT_FOUND": (4040, 404, 66, False),
    "CONFLICT": (4090, 409, 65, False),
    "RATE_LIMITED": (4290, 429, 75, True),
    "OVERLOADED": (4291, 429, 75, True),
    "IMAGE_TOO_LARGE": (5001, 413, 65, False),
    "MODEL_LOAD_FAILED": (5002, 503, 69, False),
    "OUT_OF_MEMORY": (5003, 503, 71, True),
    "TIMEOUT": (5004, 504, 75, True),
    "ENGINE_UNAVAILABLE": (5030, 503, 69, True),
    "STORAGE_UNAVAILABLE": (5031, 503, 74, True),
}


def test_no_meaning_of_the_contract_has_changed() -> None:
    actual = {e.code: (e.number, e.http_status, e.exit_code, e.retryable) for e in taxonomy()}
    assert {code: actual.get(code) for code in TABLE} == TABLE


def test_the_table_is_whole_and_each_entry_its_own() -> None:
    listed = taxonomy()
    defined = {item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, ShiziError)}
    assert set(listed) == defined - {TryLater}, "the base of those that say when to come again is none itself"
    assert listed[0] is ShiziError
    assert len({error.code for error in listed}) == len({error.number for error in listed}) == len(listed)
    assert [error.number for error in listed[1:]] == sorted(error.number for error in listed[1:])


@pytest.mark.parametrize("error", taxonomy(), ids=lambda error: error.code)
def test_each_error_is_caught_by_the_base_and_says_its_message(error: type[ShiziError]) -> None:
    with pytest.raises(ShiziError, match="the limit is 5") as caught:
        raise error("9 are too many: the limit is 5")
    assert caught.value.code == error.code
    assert error.__doc__
    assert error.exit_code not in (0, 1), "0 is success, and 1 is what Python itself ends with"
