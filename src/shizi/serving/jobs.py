"""Jobs as the service offers them: blocking stores behind threads of their own, and every bound of the way in and out."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from shizi.errors import InvalidRequest, NotFound, Overloaded, Unauthenticated
from shizi.jobs.store import JobStore
from shizi.jobs.webhook_store import WebhookStore
from shizi.jobs.webhook_target import TargetRules, target_of
from shizi.serving.caller import Caller
from shizi.serving.job_uploads import JobUploadLimits, Spooled
from shizi.serving.job_watch import Watch
from shizi.serving.refusals import InvalidParameters

T = TypeVar("T")

_ID: Final = re.compile(r"job_[0-9a-f]{44}")
_KEY: Final = re.compile(r"[!-~]{1,255}")
_SOON_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsOptions:
    """Bounds of jobs over HTTP, beside those of the jobs themselves.

    Attributes:
        targets: where webhooks may go; None where there are none.
        uploads: orders that are received at a time; each takes room for its documents in TMPDIR.
        tenant_uploads: of them, of one tenant, who else could keep all others out by sending slowly.
        fetched: pages of results that are put together, or wait for whoever asked for them, at a time.
        tenant_fetched: of them, of one tenant.
        listeners: streams of events at a time.
        tenant_listeners: of them, of one tenant.
        poll_s: seconds between looks at the database for all streams.
        keep_alive_s: seconds of silence after which a stream says that it is alive.
        longest_stream_s: seconds after which a stream ends, and its reader comes again, with a key that still holds.
        threads: that wait for the database.
        strangers_share: whether callers who did not sign in are one tenant, as on a server for one machine alone. Elsewhere each
            knows only the jobs whose ids it was given.
    """

    targets: TargetRules | None = None
    uploads: int = 4
    tenant_uploads: int = 2
    fetched: int = 20_000
    tenant_fetched: int = 10_000
    listeners: int = 256
    tenant_listeners: int = 32
    poll_s: float = 0.5
    keep_alive_s: float = 15.0
    longest_stream_s: float = 3600.0
    threads: int = 8
    strangers_share: bool = True


class Jobs:
    """Belongs to one event loop.

    Args:
        store: the jobs.
        webhooks: their messages.
        options: bounds.

    Attributes:
        watch: for streams of events.
    """

    def __init__(self, store: JobStore, webhooks: WebhookStore, options: JobsOptions) -> None:
        self.store, self.webhooks, self.options = store, webhooks, options
        self._threads = ThreadPoolExecutor(options.threads, "shizi-jobs")
        # Apart, since an order of gigabytes takes its thread for minutes.
        self._orders = ThreadPoolExecutor(options.uploads, "shizi-orders")
        self._uploads: Counter[str] = Counter()
        self._fetched: Counter[str] = Counter()
        self._listening: Counter[str] = Counter()
        self.watch = Watch(lambda keys: self.run(lambda: store.last_events(keys)), options.poll_s)

    @property
    def upload_limits(self) -> JobUploadLimits:
        """Bounds of one order."""
        return JobUploadLimits(self.store.limits.max_files, self.store.limits.max_job_bytes)

    @property
    def receiving_now(self) -> int:
        """Orders that are being received."""
        return self._uploads.total()

    @property
    def listeners(self) -> int:
        """Streams of events that are open."""
        return self._listening.total()

    async def run(self, work: Callable[[], T]) -> T:
        """The result of something blocking."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def order(self, work: Callable[[], T]) -> T:
        """The result of taking in an order; it ends before this does, also where this is cancelled: it reads a file of ours."""
        working = asyncio.get_running_loop().run_in_executor(self._orders, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait([working])
            raise

    @contextlib.contextmanager
    def receiving(self, tenant: str) -> Iterator[None]:
        """A place for an order while it is received.

        Raises:
            Overloaded: there is none.
        """
        options = self.options
        if self.receiving_now >= options.uploads or self._uploads[tenant] >= options.tenant_uploads:
            raise Overloaded(
                f"{self._uploads[tenant]} orders of this tenant and {self.receiving_now} in all are being received; "
                f"{options.tenant_uploads} and {options.uploads} are the limits (job_uploads): try again in a moment",
                _SOON_S,
            )
        with _counted(self._uploads, tenant):
            yield

    @contextlib.contextmanager
    def fetching(self, tenant: str, pages: int) -> Iterator[None]:
        """Room for pages of results, until they are sent; one who asks for a single document gets it, however long it is.

        Raises:
            Overloaded: there is none.
        """
        options, mine, all_of_them = self.options, self._fetched[tenant], self._fetched.total()
        if (mine and mine + pages > options.tenant_fetched) or (all_of_them and all_of_them + pages > options.fetched):
            raise Overloaded(
                f"{mine} pages of results of this tenant and {all_of_them} in all are on their way; {options.tenant_fetched} and "
                f"{options.fetched} are the limits (job_fetched): take those first",
                _SOON_S,
            )
        with _counted(self._fetched, tenant, pages):
            yield

    @contextlib.contextmanager
    def listening(self, tenant: str) -> Iterator[None]:
        """A place for a stream of events.

        Raises:
            Overloaded: there is none.
        """
        options = self.options
        if self.listeners >= options.listeners or self._listening[tenant] >= options.tenant_listeners:
            raise Overloaded(
                f"{self._listening[tenant]} streams of this tenant and {self.listeners} in all are open; {options.tenant_listeners} "
                f"and {options.listeners} are the limits (job_listeners): close some, or ask for the job now and then",
                10.0,
            )
        with _counted(self._listening, tenant):
            yield

    def close(self) -> None:
        """Ends the threads."""
        self.watch.close()
        self._threads.shutdown(cancel_futures=True)
        self._orders.shutdown(cancel_futures=True)

    def check_insider(self, caller: Caller) -> None:
        """Lets only those pass who may see and change what belongs to the whole tenant.

        Raises:
            Unauthenticated: a stranger among strangers.
        """
        if caller.anonymous and not self.options.strangers_share:
            raise Unauthenticated(
                "callers without a key may look at a job whose id they have, and at nothing else; sign in"
            )

    async def check_webhook(self, tenant: str, url: str | None) -> None:
        """Refuses an address that will not do, by its form; its name is looked up when there is something to tell.

        Raises:
            InvalidRequest: with what is wrong.
        """
        if url is None:
            return
        if self.options.targets is None:
            raise InvalidParameters([("webhook_url", "this server sends no webhooks (webhooks)")])
        try:
            target_of(url, self.options.targets)
        except InvalidRequest as error:
            raise InvalidParameters([("webhook_url", str(error))]) from None
        if not await self.run(lambda: self.webhooks.has_secret(tenant)):
            raise InvalidParameters(
                [("webhook_url", "needs a secret that its receiver can check: get one by POST /v1/webhooks/secret")]
            )


@contextlib.contextmanager
def _counted(places: Counter[str], tenant: str, count: int = 1) -> Iterator[None]:
    """More of the tenant's; who has none is not kept in mind."""
    places[tenant] += count
    try:
        yield
    finally:
        places[tenant] -= count
        if not places[tenant]:
            del places[tenant]


def known_id(job_id: str) -> str:
    """The id, where it can be one at all.

    Raises:
        NotFound: as for a job that is not there.
    """
    if _ID.fullmatch(job_id) is None:
        raise NotFound(f"there is no job {job_id[:80]!r}: it was never there, or it has been deleted")
    return job_id


def idempotency_key(header: str | None) -> str | None:
    """The value of the header Idempotency-Key; the quotes of draft-ietf-httpapi-idempotency-key-header are no part of it.

    Raises:
        InvalidRequest: it is empty, too long, or has spaces or characters beyond ASCII.
    """
    if header is None:
        return None
    key = header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header
    if _KEY.fullmatch(key) is None:
        raise InvalidRequest("the header Idempotency-Key must be 1 to 255 visible characters of ASCII, without spaces")
    return key


def request_digest(order: Mapping[str, object], spooled: Spooled) -> str:
    """What makes a request the same one: parameters, and the documents in their order."""
    documents = [(part.name, part.size, part.sha256) for part in spooled.parts]
    text = json.dumps([dict(order), documents], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
