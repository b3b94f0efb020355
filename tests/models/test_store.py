from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shizi.errors import ModelLoadFailed, NotFound
from shizi.models.card import Catalog, load_catalog
from shizi.models.store import ModelStore

DET, REC = b"detector" * 4096, b"recogniser" * 4096

Publish = Callable[..., Path]


class Mirror(ThreadingHTTPServer):
    """Serves a folder and counts what is fetched from it."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.fetched: list[str] = []
        self.pause_s = 0.0
        self.hold_at: int | None = None  # bytes, after which it sends no more until it is let go on
        self.go_on = threading.Event()
        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        mirror = self.server
        assert isinstance(mirror, Mirror)
        mirror.fetched.append(self.path)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if not mirror.pause_s:
            super().do_GET()
            return
        content = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the one who pulls was stopped
            for at in range(start, len(content), 1024):
                if mirror.hold_at is not None and at >= mirror.hold_at:
                    mirror.go_on.wait(60)
                self.wfile.write(content[at : at + 1024])
                self.wfile.flush()
                time.sleep(mirror.pause_s)


@pytest.fixture(autouse=True)
def _no_proxy_and_no_pip_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    (tmp_path / "www").mkdir()
    with Mirror(tmp_path / "www") as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield served
        served.shutdown()
        thread.join()


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    """Write a catalogue of a detector and a recogniser with these sources."""

    def write(detect: list[str], recognize: list[str] | None = None, rec_bytes: bytes = REC) -> Path:
        tables = []
        for name, task, content, sources in (
            ("det", "detect", DET, detect),
            ("rec", "recognize", rec_bytes, recognize or ["nowhere.onnx"]),
        ):
            tables.append(
                f'[models.{name}]\ntask = "{task}"\nversion = "1"\nlicence = "MIT"\norigin = "test"\n'
                f'sources = {sources}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\nsize = {len(content)}\n'
            )
        path = tmp_path / "catalog.toml"
        path.write_text("\n".join(tables))
        return path

    return write


def make_wheel(path: Path, members: dict[str, bytes]) -> None:
    info = "paperweight-1.0.dist-info"
    metadata = "Metadata-Version: 2.1\nName: paperweight\nVersion: 1.0\n"
    tags = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path / "paperweight-1.0-py3-none-any.whl", "w") as archive:
        own = {f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": tags.encode(), f"{info}/RECORD": b""}
        for name, content in (members | own).items():
            archive.writestr(name, content)


def store_of(tmp_path: Path, catalog: Path, *, offline: bool = False) -> ModelStore:
    return ModelStore(tmp_path / "home" / "models", offline=offline, catalog=load_catalog(catalog))


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_model_is_pulled_once_and_then_found(tmp_path: Path, mirror: Mirror, publish: Publish) -> None:
    (tmp_path / "www" / "d.onnx").write_bytes(DET)
    store = store_of(tmp_path, publish([mirror.url("d.onnx")]))
    told: list[tuple[str, int, int | None]] = []

    first = store.path("det", progress=lambda *at: told.append(at))
    second = store.path("det")

    assert first == second == store.root / f"det-{hashlib.sha256(DET).hexdigest()[:12]}.onnx"
    assert first.read_bytes() == DET
    assert mirror.fetched == ["/d.onnx"]
    assert told[0] == ("det", 0, len(DET))
    assert told[-1] == ("det", len(DET), len(DET))
    assert dict(store.installed()) == {"det": first}
    assert store.verify("det") == first


def test_sources_are_tried_in_order(tmp_path: Path, mirror: Mirror, publish: Publish) -> None:
    (tmp_path / "www" / "good.onnx").write_bytes(DET)
    (tmp_path / "www" / "bad.onnx").write_bytes(DET[::-1])
    sources = [mirror.url("gone.onnx"), mirror.url("bad.onnx"), mirror.url("good.onnx")]

    assert store_of(tmp_path, publish(sources)).path("det").read_bytes() == DET
    assert mirror.fetched == ["/gone.onnx", "/bad.onnx", "/good.onnx"]


def test_a_wrong_file_is_removed_and_both_hashes_named(tmp_path: Path, mirror: Mirror, publish: Publish) -> None:
    (tmp_path / "www" / "d.onnx").write_bytes(DET[::-1])
    store = store_of(tmp_path, publish([mirror.url("d.onnx")]))
    expected, actual = hashlib.sha256(DET).hexdigest(), hashlib.sha256(DET[::-1]).hexdigest()

    with pytest.raises(ModelLoadFailed, match=f"{actual}.*{expected}"):
        store.path("det")

    assert visible(store.root) == []


def test_when_no_source_works_each_one_is_named(tmp_path: Path, mirror: Mirror, publish: Publish) -> None:
    store = store_of(tmp_path, publish([mirror.url("a.onnx"), str(tmp_path / "b.onnx")]))

    with pytest.raises(
        ModelLoadFailed, match=r"model det cannot be pulled: .*a\.onnx: .*404.*; .*b\.onnx does not exist"
    ):
        store.path("det")


def test_a_damaged_file_is_pulled_anew_and_said_to_be(
    tmp_path: Path, mirror: Mirror, publish: Publish, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "www" / "d.onnx").write_bytes(DET)
    store = store_of(tmp_path, publish([mirror.url("d.onnx")]))
    file = store.path("det")
    file.write_bytes(DET[:-1])

    with pytest.raises(ModelLoadFailed, match=hashlib.sha256(DET).hexdigest()):
        store.verify("det")
    assert store.path("det").read_bytes() == DET

    assert "is not the model det" in caplog.text


def test_offline_a_model_that_is_absent_or_damaged_is_an_error_and_nothing_is_fetched(
    tmp_path: Path, mirror: Mirror, publish: Publish
) -> None:
    (tmp_path / "www" / "d.onnx").write_bytes(DET)
    catalog = publish([mirror.url("d.onnx")])
    offline = store_of(tmp_path, catalog, offline=True)

    with pytest.raises(ModelLoadFailed, match=r"offline mode.*shizi models pull det.*det-[0-9a-f]{12}\.onnx"):
        offline.path("det")
    assert mirror.fetched == []

    file = store_of(tmp_path, catalog).path("det")
    assert offline.path("det") == file
    file.write_bytes(b"damaged")
    with pytest.raises(ModelLoadFailed, match=hashlib.sha256(b"damaged").hexdigest()):
        offline.path("det")
    assert mirror.fetched == ["/d.onnx"]


def test_one_download_of_a_wheel_gives_all_its_models(
    tmp_path: Path, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(tmp_path, {"paperweight/d.onnx": DET, "paperweight/r.onnx": REC})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    wheel = "pypi://paperweight==1.0#paperweight/"
    catalog = publish([wheel + "d.onnx"], [wheel + "r.onnx"])

    assert store_of(tmp_path, catalog).path("det").read_bytes() == DET
    offline = store_of(tmp_path, catalog, offline=True)

    assert offline.path("rec").read_bytes() == REC
    assert visible(offline.root) == sorted(path.name for path in offline.installed().values())
    assert not list(offline.root.glob(".wheel-*"))


def test_a_wrong_neighbour_in_the_wheel_costs_only_itself(
    tmp_path: Path, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(tmp_path, {"paperweight/d.onnx": DET, "paperweight/r.onnx": REC[::-1]})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    wheel = "pypi://paperweight==1.0#paperweight/"
    store = store_of(tmp_path, publish([wheel + "d.onnx"], [wheel + "r.onnx"]))

    assert store.path("det").read_bytes() == DET
    assert list(store.installed()) == ["det"]
    with pytest.raises(ModelLoadFailed, match=hashlib.sha256(REC[::-1]).hexdigest()):
        store.path("rec")


PULL = """
import signal
import sys
from pathlib import Path
from shizi.models.card import load_catalog
from shizi.models.store import ModelStore
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background hands on that it is ignored
store = ModelStore(Path(sys.argv[1]), catalog=load_catalog(Path(sys.argv[2])))
for name in sys.argv[3:]:
    print(store.path(name))
"""


def pulling(tmp_path: Path, catalog: Path, *names: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PULL, str(tmp_path / "home" / "models"), str(catalog), *names]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def results(processes: list[subprocess.Popen[str]]) -> set[tuple[int | None, str, str]]:
    found = set()
    for process in processes:
        out, err = process.communicate(timeout=100)
        found.add((process.returncode, out, err))
    return found


def test_ten_processes_that_pull_at_once_download_once(tmp_path: Path, mirror: Mirror, publish: Publish) -> None:
    (tmp_path / "www" / "d.onnx").write_bytes(DET)
    mirror.pause_s = 0.02  # the download outlasts the start of the processes
    catalog = publish([mirror.url("d.onnx")])

    ended = results([pulling(tmp_path, catalog, "det") for _ in range(10)])

    target = store_of(tmp_path, catalog, offline=True).path("det")
    assert ended == {(0, f"{target}\n", "")}
    assert mirror.fetched == ["/d.onnx"]
    assert visible(target.parent) == [target.name]


def test_ten_processes_that_pull_a_wheel_download_it_once(
    tmp_path: Path, mirror: Mirror, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(tmp_path / "www", {"paperweight/d.onnx": DET, "paperweight/r.onnx": REC})
    (tmp_path / "www" / "index.html").write_text('<a href="/paperweight-1.0-py3-none-any.whl">it</a>')
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", mirror.url("index.html"))
    wheel = "pypi://paperweight==1.0#paperweight/"
    catalog = publish([wheel + "d.onnx"], [wheel + "r.onnx"])

    orders = [("det", "rec"), ("rec", "det")]
    ended = results([pulling(tmp_path, catalog, *orders[number % 2]) for number in range(10)])

    assert {(code, err) for code, _, err in ended} == {(0, "")}
    assert [path for path in mirror.fetched if path.endswith(".whl")] == ["/paperweight-1.0-py3-none-any.whl"]


def test_ctrl_c_leaves_no_half_model_and_the_next_pull_goes_on(
    tmp_path: Path, mirror: Mirror, publish: Publish
) -> None:
    (tmp_path / "www" / "d.onnx").write_bytes(DET)
    mirror.pause_s, mirror.hold_at = 0.0001, 20 * 1024
    catalog = publish([mirror.url("d.onnx")])
    store = store_of(tmp_path, catalog)
    part = store.root / f"det-{hashlib.sha256(DET).hexdigest()[:12]}.onnx.part"

    with pulling(tmp_path, catalog, "det") as process:
        give_up = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size >= 2048) and time.monotonic() < give_up:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode != 0
    assert visible(store.root) == [part.name]
    begun = part.read_bytes()
    assert DET.startswith(begun)

    mirror.hold_at = None
    mirror.go_on.set()
    told: list[int] = []
    assert store.path("det", progress=lambda _name, done, _total: told.append(done)).read_bytes() == DET
    assert told[0] == len(begun) > 0
    assert mirror.fetched == ["/d.onnx", "/d.onnx"]


def test_a_read_only_store_that_holds_the_model_is_enough(tmp_path: Path, mirror: Mirror, publish: Publish) -> None:
    (tmp_path / "www" / "d.onnx").write_bytes(DET)
    catalog = publish([mirror.url("d.onnx")])
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    file = store_of(tmp_path, catalog).path("det")
    file.rename(shipped / file.name)

    found = ModelStore(shipped, catalog=load_catalog(catalog)).path("det")

    assert found.read_bytes() == DET
    assert [path.name for path in shipped.iterdir()] == [file.name]  # nothing was written: no lock, no part


def test_a_store_that_cannot_be_written_says_what_to_do(tmp_path: Path, mirror: Mirror, publish: Publish) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    store = store_of(tmp_path, publish([mirror.url("d.onnx")]))

    with pytest.raises(ModelLoadFailed, match=r"cannot be written to .*home.*SHIZI_HOME"):
        store.path("det")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a model and a card of the user's own."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "best.onnx").write_bytes(REC)
    (folder / "card.toml").write_text(
        'name = "mine"\ntask = "recognize"\nversion = "7"\nlicence = "MIT"\norigin = "me"\n'
        f'charset = "file:dict.txt"\nsha256 = "{hashlib.sha256(REC).hexdigest()}"\n'
    )
    return folder


@pytest.mark.parametrize("place", ["own", "own/card.toml", "own/"])
def test_a_model_of_ones_own_is_used_where_it_lies(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    store = ModelStore(tmp_path / "empty", offline=True, catalog=Catalog(models={}))

    assert store.path(place) == own / "best.onnx"
    assert store.verify(place) == own / "best.onnx"
    assert store.card(place).version == "7"
    assert not (tmp_path / "empty").exists()


def test_a_model_of_ones_own_that_does_not_match_its_card_is_refused_but_not_removed(tmp_path: Path, own: Path) -> None:
    (own / "best.onnx").write_bytes(DET)
    store = ModelStore(tmp_path / "empty", catalog=Catalog(models={}))

    with pytest.raises(ModelLoadFailed, match=r"best\.onnx is not the model mine: .*correct the card"):
        store.path(str(own))
    assert (own / "best.onnx").read_bytes() == DET


def test_unknown_models_are_not_found(tmp_path: Path, publish: Publish) -> None:
    store = store_of(tmp_path, publish(["gone.onnx"]))

    with pytest.raises(NotFound, match=r"'nope'; known are det, rec"):
        store.path("nope")
    with pytest.raises(NotFound, match=r"nope/card\.toml does not exist"):
        store.path("nope/card.toml")
    with pytest.raises(NotFound, match="shizi models pull det"):
        store.verify("det")
    assert dict(store.installed()) == {}
