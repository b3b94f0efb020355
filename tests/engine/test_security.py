"""Who may call an engine on TCP: tokens and certificates, right, wrong and missing, against real processes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from shizi.engine import fake, protocol
from shizi.engine.client import EngineClient
from shizi.engine.launch import launch
from shizi.engine.link import ClientOptions
from shizi.engine.options import EngineProcess, HostOptions
from shizi.engine.security import ClientSecurity, ServerSecurity, read_tokens
from shizi.errors import EngineUnavailable, InvalidRequest, ShiziError, Unauthenticated
from tests.engine.certificates import Authority
from tests.engine.pages import FAKE, read

PAGE = fake.page(seed=9)


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def token(folder: Path, *tokens: str) -> Path:
    path = folder / f"{secrets.token_hex(4)}.tokens"
    path.write_text("\n".join(tokens or (secrets.token_hex(32),)) + "\n")
    return path


@asynccontextmanager
async def engine(port: int, security: ServerSecurity) -> AsyncIterator[str]:
    listen = f"tcp:127.0.0.1:{port}"
    child = await launch(EngineProcess(listen, FAKE, HostOptions(warmup_batches=0), security), 30)
    try:
        yield listen
    finally:
        await child.kill()


async def outcome(listen: str, security: ClientSecurity) -> str | type[ShiziError]:
    """What is read through a new client, or the error."""
    client = EngineClient(listen, ClientOptions(security=security))
    try:
        return (await read(client, PAGE, 5)).text
    except ShiziError as error:
        return type(error)
    finally:
        await client.close()


def test_only_who_knows_a_token_may_call(tmp_path: Path, free_port: int) -> None:
    async def work() -> None:
        old, new = secrets.token_hex(32), secrets.token_hex(32)
        async with engine(free_port, ServerSecurity(token(tmp_path, new, old))) as listen:
            for known in (old, new):
                assert await outcome(listen, ClientSecurity(token(tmp_path, known))) == fake.text_of(PAGE)
            for wrong in (
                ClientSecurity(),
                ClientSecurity(token(tmp_path)),
                ClientSecurity(token(tmp_path, new + "0")),
            ):
                assert await outcome(listen, wrong) is Unauthenticated

    run(work())


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", ""),),
        (("authorization", "Bearer"),),
        (("authorization", "Bearer {}x"),),
        (("authorization", "bearer {}"),),
        (("authorization", "{}"),),
        (("authorization", "Basic {}"),),
        (("authorization", "Bearer {}"), ("authorization", "Bearer wrong")),
        (("x-authorization", "Bearer {}"),),
    ],
)
def test_every_method_wants_the_token_and_a_refused_message_is_not_taken(
    metadata: tuple[tuple[str, str], ...], tmp_path: Path, free_port: int
) -> None:
    async def work() -> None:
        known = secrets.token_hex(32)
        sent = tuple((name, value.format(known)) for name, value in metadata)
        async with (
            engine(free_port, ServerSecurity(token(tmp_path, known))),
            grpc.aio.insecure_channel(f"127.0.0.1:{free_port}") as channel,
        ):
            for method in protocol.METHODS:
                call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(protocol.method_path(method))
                # The engine takes no message of 400 MB, and does not come so far as to say so.
                for message in (b"", b"\xff" * 1000):
                    assert await call(message, metadata=sent).code() is grpc.StatusCode.UNAUTHENTICATED, method

    run(work())


def test_tls_and_certificates_of_clients(tmp_path: Path, free_port: int) -> None:
    async def work() -> None:
        ours, theirs = Authority(tmp_path), Authority(tmp_path, "other")
        certificate, key = ours.issue("engine")
        client, client_key = ours.issue("gateway")
        stranger, stranger_key = theirs.issue("stranger")
        async with engine(free_port, ServerSecurity(None, certificate, key, ours.certificate)) as listen:
            good = ClientSecurity(None, ours.certificate, client, client_key)
            assert await outcome(listen, good) == fake.text_of(PAGE)
            for wrong in (
                ClientSecurity(),  # no TLS
                ClientSecurity(None, ours.certificate),  # no certificate
                ClientSecurity(None, ours.certificate, stranger, stranger_key),  # somebody else's
                ClientSecurity(None, theirs.certificate, client, client_key),  # an engine nobody here vouches for
            ):
                failed = await outcome(listen, wrong)
                assert isinstance(failed, type), wrong
                assert issubclass(failed, EngineUnavailable), wrong

    run(work())


def test_tls_with_a_token(tmp_path: Path, free_port: int) -> None:
    async def work() -> None:
        authority, file = Authority(tmp_path), token(tmp_path)
        async with engine(free_port, ServerSecurity(file, *authority.issue("engine"))) as listen:
            assert await outcome(listen, ClientSecurity(file, authority.certificate)) == fake.text_of(PAGE)
            assert await outcome(listen, ClientSecurity(None, authority.certificate)) is Unauthenticated

    run(work())


@pytest.mark.parametrize(
    "content",
    ["", "\n \n", "short", "x" * 31, "x" * 513, f"{'x' * 32}\nshort", "ü" * 40, "a b" * 20, ("x" * 32 + "\n") * 17],
)
def test_files_of_tokens_that_keep_nobody_out_are_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(content)
    with pytest.raises(InvalidRequest, match="32 to 512 visible ASCII characters"):
        read_tokens(path)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="none cannot be read: No such file"):
        read_tokens(tmp_path / "none")
    large = tmp_path / "large"
    large.write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(InvalidRequest, match="more than 1048576 bytes"):
        read_tokens(large)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        ServerSecurity(None, tmp_path / "c", tmp_path / "k").credentials()


def test_halves_of_a_pair_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x"
    for kind, values in (
        (ServerSecurity, {"certificate": file}),
        (ServerSecurity, {"key": file}),
        (ServerSecurity, {"client_ca": file}),
        (ClientSecurity, {"certificate": file, "ca": file}),
        (ClientSecurity, {"certificate": file, "key": file}),
    ):
        with pytest.raises(InvalidRequest):
            kind(**values)
    assert not ServerSecurity(None, file, file).keeps_strangers_out
