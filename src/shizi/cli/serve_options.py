"""What the options of `shizi serve` mean: click's values and the settings become the records of the service's parts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

import click
from pydantic import ValidationError

from shizi.cli.engine import limits, pull_missing, store
from shizi.cli.engine_flags import reader_options
from shizi.cli.options import EngineOptions, engine_options
from shizi.cli.version import own_version
from shizi.cli.worker import job_limits
from shizi.engine.address import parse
from shizi.engine.link import ClientOptions
from shizi.engine.security import ClientSecurity
from shizi.engine.supervisor import SupervisorOptions
from shizi.errors import InvalidRequest
from shizi.imaging.limits import Limits
from shizi.jobs.webhook_target import TargetRules, networks_of
from shizi.jobs.worker import WorkerOptions
from shizi.release.feedback import FeedbackLimits
from shizi.serving.addresses import ProxyOptions
from shizi.serving.admission import AdmissionOptions
from shizi.serving.auth import AuthOptions, is_loopback
from shizi.serving.cache import CacheOptions
from shizi.serving.cache_redis import RedisCacheOptions
from shizi.serving.engines.start import EnginesOptions
from shizi.serving.job_parts import JobsSetup
from shizi.serving.jobs import JobsOptions
from shizi.serving.jwks import JwksOptions
from shizi.serving.options import LONGEST_TIMEOUT_S, ServerOptions, ServiceOptions
from shizi.serving.process import ServeOptions, TokenSource
from shizi.serving.ratelimit import RateOptions
from shizi.serving.site import BUILT
from shizi.serving.storage import StorageOptions
from shizi.serving.tokens import TokenOptions
from shizi.serving.uploads import UploadLimits
from shizi.settings import Settings

_OF_AN_ENGINE: Final = ("tier", "runtime", "precision", "threads")


def serve_options(values: Mapping[str, object], settings: Settings) -> ServeOptions:
    """The command line's values; where it says nothing, the settings'. Missing models are fetched.

    Raises:
        InvalidRequest: a value is not allowed, or some do not go together.
        ModelLoadFailed: a model cannot be fetched.
    """
    chosen = over(values, settings)
    engine = engine_options(values, settings)
    if not chosen.engines:
        pull_missing(store(engine), engine.tier, sys.stderr)
    bounds = limits(engine)
    return ServeOptions(
        service=_service(chosen, bounds),
        server=ServerOptions(
            host=chosen.host,
            port=chosen.port,
            internal_host=chosen.internal_host,
            internal_port=chosen.internal_port,
            pre_stop_s=chosen.pre_stop_s,
            drain_s=chosen.drain_s,
            taking_timeout_s=chosen.taking_timeout_s,
        ),
        auth=AuthOptions(anonymous=chosen.anonymous),
        api_keys=chosen.api_keys,
        tokens=_tokens(chosen),
        rates=RateOptions(storage_url=chosen.rate_storage.get_secret_value() if chosen.rate_storage else None),
        proxies=ProxyOptions(trusted=_listed(chosen.trusted_proxies)),
        engines=engines_options(chosen, engine, values),
        admission=AdmissionOptions(
            max_queue_size=chosen.max_queue_size,
            model_timeout=chosen.request_timeout_s,
            tenant_share=AdmissionOptions().tenant_share if chosen.api_keys or chosen.token_issuer else 1.0,
        ),
        cache=CacheOptions(max_bytes=chosen.cache_bytes),
        storage=storage_options(chosen),
        feedback=FeedbackLimits(
            rows=chosen.feedback_rows, bytes=chosen.feedback_bytes, crops=frozenset(_listed(chosen.feedback_crops))
        ),
        cache_storage=_cache_storage(chosen),
        jobs=jobs_setup(chosen),
    )


def jobs_setup(chosen: Settings) -> JobsSetup:
    """Jobs and their webhooks.

    Raises:
        InvalidRequest: a port or network of webhooks is none.
    """
    targets = None
    if chosen.webhooks != "off":
        ports = _listed(chosen.webhook_ports)
        if not ports or not all(port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536 for port in ports):
            raise InvalidRequest("--webhook-ports are numbers from 1 to 65535, separated by commas")
        targets = TargetRules(
            schemes=("https", "http") if chosen.webhooks == "http" else ("https",),
            ports=tuple(int(port) for port in ports),
            networks=networks_of(_listed(chosen.webhook_networks)),
        )
    return JobsSetup(
        limits=job_limits(chosen),
        http=JobsOptions(
            targets=targets,
            strangers_share=is_loopback(chosen.host),
            uploads=chosen.job_uploads,
            tenant_uploads=chosen.job_tenant_uploads,
            fetched=chosen.job_fetched,
            tenant_fetched=chosen.job_tenant_fetched,
        ),
        worker=WorkerOptions(slots=chosen.worker_slots),
        redis_url=chosen.redis_url.get_secret_value() if chosen.redis_url else None,
    )


def over(values: Mapping[str, object], settings: Settings) -> Settings:
    """The settings, and over them what the command line says."""
    given = {name: value for name, value in values.items() if value is not None and name in Settings.model_fields}
    try:
        return Settings.model_validate(settings.model_dump() | given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidRequest(f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}") from None


def engines_options(chosen: Settings, engine: EngineOptions, values: Mapping[str, object]) -> EnginesOptions:
    """An engine of the server's own, or those that are named."""
    security = ClientSecurity(chosen.engine_token_file, chosen.engine_ca, chosen.engine_certificate, chosen.engine_key)
    remote = _listed(chosen.engines)
    if not remote:
        if security != ClientSecurity():
            raise InvalidRequest(
                "--engine-token-file, --engine-ca, --engine-certificate and --engine-key are for --engine"
            )
        return EnginesOptions(local=SupervisorOptions(reader=reader_options(engine)))
    useless = [name for name in _OF_AN_ENGINE if values.get(name) is not None]
    if useless:
        raise InvalidRequest(f"--{useless[0]} is a matter of the engines that --engine names; say it to `shizi engine`")
    for address in remote:
        if not parse(address).loopback and security.ca is None:
            message = (
                f"shizi serve: {address}: without --engine-ca (TLS), whoever sees the network sees pages and tokens"
            )
            click.echo(message, err=True)
    return EnginesOptions(remote=remote, client=ClientOptions(security=security))


def _service(chosen: Settings, bounds: Limits) -> ServiceOptions:
    return ServiceOptions(
        version=own_version(),
        limits=bounds,
        uploads=UploadLimits(max_bytes=bounds.max_bytes, timeout_s=chosen.upload_timeout_s),
        request_timeout_s=chosen.request_timeout_s,
        longest_timeout_s=max(chosen.request_timeout_s, LONGEST_TIMEOUT_S),
        preview_side=chosen.preview_side,
        documents=chosen.documents,
        docs=chosen.docs,
        ui=BUILT if chosen.ui else None,
        internal_apart=chosen.internal_port is not None,
    )


def storage_options(chosen: Settings) -> StorageOptions:
    """Where jobs and corrections are."""
    url = None if chosen.database_url is None else chosen.database_url.get_secret_value()
    return StorageOptions(url, chosen.data_dir or chosen.home)


def _tokens(chosen: Settings) -> TokenSource | None:
    parts = (chosen.token_issuer, chosen.token_audience, chosen.token_keys)
    if not any(parts):
        return None
    issuer, audience, keys = parts
    if issuer is None or audience is None or keys is None:
        raise InvalidRequest("tokens need all of --token-issuer, --token-audience and --token-keys")
    return TokenSource(TokenOptions(issuer=issuer, audiences=_listed(audience)), JwksOptions(source=keys))


def _cache_storage(chosen: Settings) -> RedisCacheOptions | None:
    if chosen.cache_storage is None:
        return None
    secret = chosen.cache_secret.get_secret_value() if chosen.cache_secret else ""
    return RedisCacheOptions(chosen.cache_storage.get_secret_value(), secret.encode())


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for piece in text.split(",") if (part := piece.strip()))
