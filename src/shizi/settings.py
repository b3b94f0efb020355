"""Settings of an installation, from the environment (`SHIZI_*`); read once, by the command line, whose options win."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, SecretStr, ValidationError

from shizi.errors import InvalidRequest

PREFIX: Final = "SHIZI_"
MOST_THREADS: Final = 256
LONGEST_TIMEOUT_S: Final = 7 * 24 * 3600


class Settings(BaseModel):
    """One field per variable: `offline` is `SHIZI_OFFLINE`; a variable that is unset or empty leaves the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path | None = Field(default=None, description="where models are kept; default: the user's cache folder")
    compiled_dir: Path | None = Field(
        default=None,
        description="where compiled models are kept, or `off`; default: the user's cache folder",
    )
    catalog: Path | None = Field(default=None, description="a catalogue of models of your own")
    offline: bool = Field(default=False, description="never fetch a model")
    data_dir: Path | None = Field(
        default=None,
        description="where jobs and corrections are kept without a database; default: the user's data folder",
    )
    database_url: SecretStr | None = Field(
        default=None, description="a PostgreSQL (postgresql://…) that keeps jobs and corrections of several servers"
    )
    redis_url: SecretStr | None = Field(
        default=None, description="a Redis (redis://…) that tells workers on other machines of new work"
    )
    worker_slots: PositiveInt = Field(
        default=2,
        le=64,
        description="tasks of jobs that `shizi worker`, or a server without workers, reads at the same time",
    )
    job_files: PositiveInt = Field(default=1000, le=10_000, description="most documents of a job")
    job_pages: PositiveInt = Field(default=10_000, le=100_000, description="most pages of a job")
    job_bytes: PositiveInt = Field(default=4 * 2**30, description="most bytes of a job's documents")
    job_retention_s: PositiveInt = Field(default=86_400, description="seconds for which a finished job is kept")
    job_tenant_jobs: PositiveInt = Field(default=1000, description="jobs of one tenant that are not finished")
    job_tenant_bytes: PositiveInt = Field(default=20 * 2**30, description="bytes of jobs kept for one tenant")
    job_total_bytes: PositiveInt = Field(default=100 * 2**30, description="bytes of jobs kept for all tenants")
    job_uploads: PositiveInt = Field(default=4, le=64, description="`shizi serve`: orders received at the same time")
    job_tenant_uploads: PositiveInt = Field(default=2, le=64, description="`shizi serve`: of them, of one tenant")
    job_fetched: PositiveInt = Field(
        default=20_000, description="`shizi serve`: pages of jobs' results on their way to clients at the same time"
    )
    job_tenant_fetched: PositiveInt = Field(default=10_000, description="`shizi serve`: of them, to one tenant")
    webhooks: Literal["https", "http", "off"] = Field(
        default="https",
        description="`shizi serve`: how clients may have themselves told of the end of a job: by https, also by http, or not",
    )
    webhook_ports: str = Field(
        default="443,8443", description="`shizi serve`: ports to which webhooks may go, separated by commas"
    )
    webhook_networks: str = Field(
        default="",
        description="`shizi serve`: internal networks to which webhooks may go, separated by commas; default: public ones only",
    )
    tier: str = Field(default="general", description="which set of models reads")
    runtime: Literal["auto", "onnx", "openvino"] = Field(default="auto", description="which library runs the models")
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        default="auto", description="arithmetic of the models"
    )
    threads: PositiveInt | None = Field(
        default=None, le=MOST_THREADS, description="CPU threads of the models; default: the CPU quota"
    )
    jobs: PositiveInt = Field(default=2, le=256, description="files read at the same time")
    password: SecretStr | None = Field(default=None, description="opens encrypted PDFs")
    max_bytes: PositiveInt | None = Field(default=None, description="largest file, in bytes")
    max_pixels: PositiveInt | None = Field(default=None, description="largest page, in pixels")
    max_side: PositiveInt | None = Field(default=None, description="longest side of a page, in pixels")
    max_pages: PositiveInt | None = Field(default=None, description="most pages read from a document")
    max_memory: PositiveInt | None = Field(default=None, description="most bytes for decoding one image")
    max_words: PositiveInt | None = Field(default=None, description="most words of a document")
    timeout_s: PositiveInt | None = Field(
        default=None, le=LONGEST_TIMEOUT_S, description="seconds for one document, looked at between pages"
    )
    pdf_dpi: PositiveInt | None = Field(default=None, description="dots per inch at which PDF pages are rendered")
    pdf_max_pixels: PositiveInt | None = Field(
        default=None, description="pixels of a rendered PDF page; larger ones get fewer dpi"
    )
    host: str = Field(default="127.0.0.1", description="`shizi serve`: the address to listen on")
    port: int = Field(default=8000, ge=0, le=65_535, description="`shizi serve`: the port; 0 for any that is free")
    internal_host: str = Field(
        default="127.0.0.1", description="`shizi serve`, `shizi worker`: the address for metrics"
    )
    internal_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="`shizi serve`: metrics and docs are answered on this port only; `shizi worker`: metrics and health",
    )
    ui: bool = Field(default=True, description="`shizi serve`: whether the web page is there")
    docs: bool = Field(default=True, description="`shizi serve`: whether /openapi.json is there")
    anonymous: Literal["loopback", "always", "never"] = Field(
        default="loopback",
        description="`shizi serve`: who may ask without a key: callers on this machine where only they can, all, or none",
    )
    api_keys: Path | None = Field(default=None, description="`shizi serve`: the file of API keys")
    token_issuer: str | None = Field(default=None, description="`shizi serve`: whose tokens (JWT) are taken")
    token_audience: str | None = Field(default=None, description="`shizi serve`: for whom such tokens must be made")
    token_keys: str | None = Field(default=None, description="`shizi serve`: address or file of the issuer's JWK set")
    trusted_proxies: str = Field(
        default="",
        description="`shizi serve`: networks of proxies whose X-Forwarded-For is believed, separated by commas",
    )
    rate_storage: SecretStr | None = Field(
        default=None, description="`shizi serve`: a Redis (redis://…) that counts rates for several servers"
    )
    cache_storage: SecretStr | None = Field(
        default=None, description="`shizi serve`: a Redis (redis://…) that keeps results for several servers"
    )
    cache_secret: SecretStr | None = Field(
        default=None,
        description="`shizi serve`: seals the results there: 16 characters or more, the same on all servers",
    )
    documents: PositiveInt = Field(
        default=4, le=256, description="`shizi serve`: documents decoded and read at the same time"
    )
    max_queue_size: PositiveInt = Field(
        default=100, le=100_000, description="`shizi serve`: requests under way; more are refused"
    )
    cache_bytes: int = Field(
        default=256 * 2**20, ge=0, description="`shizi serve`: bytes of results that are kept; 0 keeps none"
    )
    request_timeout_s: PositiveInt = Field(
        default=30,
        le=LONGEST_TIMEOUT_S,
        description="`shizi serve`: seconds for a document, where its client asks for no other",
    )
    upload_timeout_s: PositiveInt = Field(default=120, le=86_400, description="`shizi serve`: seconds for an upload")
    taking_timeout_s: PositiveInt = Field(
        default=60, le=86_400, description="`shizi serve`: seconds in which a client must take 32 KiB of its answer"
    )
    feedback_crops: str = Field(
        default="",
        description="`shizi serve`: tenants whose corrections are kept with pictures of the lines, separated by commas; `*`: all",
    )
    feedback_rows: PositiveInt = Field(default=100_000, description="`shizi serve`: corrections kept of one tenant")
    feedback_bytes: PositiveInt = Field(
        default=256 * 2**20, description="`shizi serve`: bytes kept of one tenant's corrections"
    )
    server: str | None = Field(default=None, description="`shizi read`: the address of a server that reads instead")
    api_key: SecretStr | None = Field(default=None, description="`shizi read`: the key or token for that server")
    ca_file: Path | None = Field(
        default=None, description="`shizi read`: certificates (PEM) of the authorities by which that server is known"
    )
    engines: str = Field(
        default="",
        description="`shizi serve`: engines elsewhere that read, tcp://HOST:PORT or unix:///path, separated by commas",
    )
    engine_token_file: Path | None = Field(
        default=None, description="`shizi serve`: its first line is the token that these engines ask for"
    )
    engine_ca: Path | None = Field(
        default=None,
        description="`shizi serve`: certificates (PEM) by which these engines are known; they are called over TLS",
    )
    engine_certificate: Path | None = Field(
        default=None, description="`shizi serve`: the certificate (PEM) that these engines ask for"
    )
    engine_key: Path | None = Field(default=None, description="`shizi serve`: the key of that certificate (PEM)")
    preview_side: PositiveInt = Field(default=1280, description="`shizi serve`: longer side of a page for a preview")
    pre_stop_s: float = Field(
        default=5, ge=0, le=3600, description="`shizi serve`: seconds after SIGTERM in which requests are still taken"
    )
    drain_s: float = Field(
        default=60, ge=1, le=86_400, description="`shizi serve`: seconds after that in which they may end"
    )


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment asks for.

    Raises:
        InvalidRequest: a value is not allowed, or a `SHIZI_*` variable is unknown (a typing error would otherwise be
            ignored in silence); the message names the variable.
    """
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value != ""
    }
    unknown = sorted(values.keys() - Settings.model_fields.keys())
    if unknown:
        names = ", ".join(variable(name) for name in Settings.model_fields)
        raise InvalidRequest(f"the environment variable {variable(unknown[0])} is unknown; known are {names}")
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidRequest(f"the environment variable {variable(str(first['loc'][0]))}: {first['msg']}") from None


def variable(field: str) -> str:
    """Name of the environment variable of a field."""
    return PREFIX + field.upper()
