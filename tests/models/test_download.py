from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shizi.errors import ModelLoadFailed
from shizi.models.download import Wanted, download

CONTENT = bytes(range(256)) * 1024
WANTED = Wanted(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
UNSIZED = Wanted(WANTED.sha256)


class Served(ThreadingHTTPServer):
    """A server of one file, with the bad habits that a test gives it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.content = CONTENT
        self.ranges: list[str | None] = []
        self.break_after: list[int] = []
        self.honours_range = True
        self.shift_once = 0
        self.stalls = False
        self.released = threading.Event()
        self.chunked = False
        self.says_length = True
        self.status: int | None = None
        self.location = ""
        self.extra: dict[str, str] = {}
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/model.onnx"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Served)
        wanted = self.headers.get("Range")
        server.ranges.append(wanted)
        self.close_connection = True
        if server.status is not None:
            self.send_response(server.status)
            self.send_header("Location", server.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.honours_range else 0
        start, server.shift_once = start + server.shift_once, 0
        if start >= len(server.content):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        for name, value in server.extra.items():
            self.send_header(name, value)
        self.send_body(server.content[start:], server)

    def send_body(self, body: bytes, server: Served) -> None:
        sent = body[: server.break_after.pop(0)] if server.break_after else body
        if server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif server.says_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.stalls:
            self.wfile.write(body[:5])
            self.wfile.flush()
            server.released.wait(20)
            return
        if server.chunked:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent))
            self.wfile.write(b"0\r\n\r\n" if sent == body else b"")
        else:
            self.wfile.write(sent)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("shizi.models.download._PAUSE_S", 0.0)
    with Served() as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def ignore(done: int, total: int | None) -> None:
    """Report to nobody."""


def test_the_file_comes_whole_and_its_progress_is_told(server: Served, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []

    download(server.url, tmp_path / "part", WANTED, lambda done, total: told.append((done, total)))

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.ranges == [None]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_a_planted_link_is_not_written_through(server: Served, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"precious")
    (tmp_path / "part").symlink_to(tmp_path / "theirs")

    download(server.url, tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "theirs").read_bytes() == b"precious"
    assert (tmp_path / "part").read_bytes() == CONTENT


@pytest.mark.parametrize("chunked", [False, True])
def test_a_broken_connection_is_taken_up_where_it_broke(server: Served, tmp_path: Path, chunked: bool) -> None:
    server.chunked = chunked
    server.break_after = [100_000, 50_000]

    download(server.url, tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_a_part_of_an_earlier_run_is_gone_on_from(server: Served, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:1000])

    download(server.url, tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_a_whole_part_asks_for_nothing(server: Served, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT)

    download(server.url, tmp_path / "part", WANTED, ignore)

    assert server.ranges == []


def test_a_part_of_another_version_is_fetched_anew(server: Served, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"old" * 1000)

    download(server.url, tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.ranges == ["bytes=3000-", None]


@pytest.mark.parametrize("wanted", [WANTED, UNSIZED])
def test_a_part_longer_than_the_file_is_fetched_anew(server: Served, tmp_path: Path, wanted: Wanted) -> None:
    (tmp_path / "part").write_bytes(CONTENT + b"more")

    download(server.url, tmp_path / "part", wanted, ignore)

    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_server_that_knows_no_ranges_sends_all_again(server: Served, tmp_path: Path) -> None:
    server.honours_range = False
    (tmp_path / "part").write_bytes(CONTENT[:1000])

    download(server.url, tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "part").read_bytes() == CONTENT


def test_an_answer_with_another_range_than_asked_for_is_not_used(server: Served, tmp_path: Path) -> None:
    server.shift_once = 7
    (tmp_path / "part").write_bytes(CONTENT[:1000])

    download(server.url, tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-", None]


def test_an_ever_breaking_connection_is_given_up_and_its_part_kept(server: Served, tmp_path: Path) -> None:
    server.break_after = [10] * 20

    with pytest.raises(ModelLoadFailed, match=r"broke 5 times.*pull again"):
        download(server.url, tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "part").read_bytes() == CONTENT[:50]


def test_a_server_that_offers_more_than_the_card_says_is_refused_before_the_bytes_come(
    server: Served, tmp_path: Path
) -> None:
    server.content = CONTENT + b"x"

    with pytest.raises(ModelLoadFailed, match=f"offers {len(CONTENT) + 1} bytes, more than the {len(CONTENT)} bytes"):
        download(server.url, tmp_path / "part", WANTED, ignore)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_server_that_hides_how_much_it_sends_is_stopped(server: Served, tmp_path: Path, chunked: bool) -> None:
    server.content = CONTENT * 8
    server.says_length, server.chunked = False, chunked

    with pytest.raises(ModelLoadFailed, match=f"more than the {len(CONTENT)} bytes allowed"):
        download(server.url, tmp_path / "part", WANTED, ignore)

    assert (tmp_path / "part").stat().st_size <= len(CONTENT)


def test_without_a_length_and_a_size_the_file_still_comes(server: Served, tmp_path: Path) -> None:
    server.says_length = False
    told: list[int | None] = []

    download(server.url, tmp_path / "part", UNSIZED, lambda _done, total: told.append(total))

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert set(told) == {None}


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_an_error_status_is_named(server: Served, tmp_path: Path, status: int) -> None:
    server.status = status

    with pytest.raises(ModelLoadFailed, match=f"answers {status}"):
        download(server.url, tmp_path / "part", WANTED, ignore)

    assert not (tmp_path / "part").exists()


@pytest.mark.parametrize(
    "location", ["http://models.example/evil.onnx?token=s3cret", "ftp://127.0.0.1/evil.onnx", "http://10.0.0.1/evil"]
)
def test_a_redirect_away_from_https_is_refused(server: Served, tmp_path: Path, location: str) -> None:
    server.status, server.location = 302, location

    with pytest.raises(ModelLoadFailed, match="redirects to where a model may not come from") as caught:
        download(server.url, tmp_path / "part", WANTED, ignore)

    assert "s3cret" not in str(caught.value)


def test_a_redirect_on_this_machine_is_followed(server: Served, tmp_path: Path) -> None:
    with Served() as other:
        thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        server.status, server.location = 302, other.url
        (tmp_path / "part").write_bytes(CONTENT[:1000])
        download(server.url, tmp_path / "part", WANTED, ignore)
        other.shutdown()
        thread.join()

    assert (tmp_path / "part").read_bytes() == CONTENT
    assert other.ranges == ["bytes=1000-"]


def test_a_compressed_answer_is_refused(server: Served, tmp_path: Path) -> None:
    server.extra = {"Content-Encoding": "gzip"}

    with pytest.raises(ModelLoadFailed, match="compressed"):
        download(server.url, tmp_path / "part", WANTED, ignore)


def test_a_server_that_is_not_there_is_named_as_such(tmp_path: Path) -> None:
    with Served() as gone:
        url = gone.url

    with pytest.raises(ModelLoadFailed, match="cannot be reached"):
        download(url, tmp_path / "part", WANTED, ignore)


def test_a_server_that_falls_silent_is_given_up(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shizi.models.download.SILENCE_S", 0.1)
    server.stalls = True

    with pytest.raises(ModelLoadFailed, match="broke 5 times"):
        download(server.url, tmp_path / "part", WANTED, ignore)

    server.released.set()
    assert (tmp_path / "part").read_bytes() == CONTENT[:25]


def test_a_download_that_takes_too_long_ends(server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.models.download.TOTAL_S", 0.0)

    with pytest.raises(ModelLoadFailed, match="took longer"):
        download(server.url, tmp_path / "part", WANTED, ignore)
