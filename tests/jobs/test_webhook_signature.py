from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from shizi.jobs.webhook_signature import new_secret, signed_headers

BODY = '{"type":"job.finished","data":{"state":"失败"}}'.encode()


def test_the_example_of_the_specification() -> None:
    """The vector that the libraries of Standard Webhooks share."""
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(max_size=200), st.text("abcdef0123456789_-", min_size=1, max_size=40))
def test_the_library_of_receivers_agrees(body: bytes, message_id: str) -> None:
    secret = new_secret()
    text = body.decode("latin-1").encode()
    headers = dict(signed_headers(f"msg_{message_id}", int(time.time()), text, [secret]))
    Webhook(secret).verify(text, headers, json_parse=False)
    for wrong in (text + b" ", b"x" + text):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(wrong, headers, json_parse=False)


def test_both_secrets_hold_while_one_is_replaced() -> None:
    new, old = new_secret(), new_secret()
    headers = dict(signed_headers("msg_1", int(time.time()), BODY, [new, old]))
    for secret in (new, old):
        assert Webhook(secret).verify(BODY, headers)["data"]["state"] == "失败"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


def test_old_messages_cannot_be_sent_again_with_another_time() -> None:
    secret = new_secret()
    headers = dict(signed_headers("msg_1", int(time.time()) - 100, BODY, [secret]))
    Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, {**headers, "webhook-timestamp": str(int(time.time()))})


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in made} == {32}


@pytest.mark.parametrize(
    ("message_id", "secrets"), [("msg.1", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]), ("msg_1", [])]
)
def test_what_would_not_be_signed_well_is_a_bug(message_id: str, secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="full stops"):
        signed_headers(message_id, 1, BODY, secrets)
