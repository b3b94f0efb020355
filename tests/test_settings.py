from __future__ import annotations

import pytest

from shizi.errors import InvalidRequest
from shizi.settings import Settings, from_environment


def test_the_environment_is_read_by_name() -> None:
    settings = from_environment({"SHIZI_THREADS": "4", "SHIZI_OFFLINE": "true", "SHIZI_PASSWORD": "pw", "PATH": "/bin"})
    assert (settings.threads, settings.offline) == (4, True)
    assert settings.password is not None
    assert "pw" not in repr(settings)


def test_empty_is_unset() -> None:
    assert from_environment({"SHIZI_TIER": "", "SHIZI_HOME": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHIZI_THREADS", "0"),
        ("SHIZI_RUNTIME", "gpu"),
        ("SHIZI_OFFLINE", "maybe"),
        ("SHIZI_JOBS", "999"),
        ("SHIZI_THREADS", "257"),
        ("SHIZI_TIMEOUT_S", "604801"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=f"the environment variable {name}: "):
        from_environment({name: value})
