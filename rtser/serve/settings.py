"""Settings of ``rtser serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from rtser.engine.decider import DecideSettings
from rtser.settings import Deciding, Megabytes, ModelFile, ProviderName, Seconds, Settings, WindowSeconds

Count = Annotated[int, Field(ge=1)]


class AccessSettings(Settings):
    """Access to the server."""

    token_file: Path | None = Field(
        None, description="file that holds the token; or set the environment variable RTSER_TOKEN"
    )
    insecure: bool = Field(False, description="allow other machines without a token")
    origins: tuple[str, ...] = Field(
        (), description="other web pages that may use the server, such as https://example.org; its own page always may"
    )
    hosts: tuple[str, ...] = Field(
        (), description="further names of this server in the Host header; without a token other names are refused"
    )

    @field_validator("origins", "hosts")
    @classmethod
    def _as_browsers_write_them(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.rstrip("/").lower() for name in names)


class TlsSettings(Settings):
    """Encryption; without it, put the server behind a proxy that encrypts."""

    certificate: Path | None = Field(None, description="PEM file with the certificate chain")
    key: Path | None = Field(None, description="PEM file with the private key")

    @model_validator(mode="after")
    def _both_or_none(self) -> TlsSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key must be given together (--certificate and --key)")
        return self


class LimitSettings(Settings):
    """Limits of one client, and of all clients together."""

    streams: Count = Field(200, description="most live streams at once; each channel is one; more are refused")
    channels: Annotated[int, Field(ge=1, le=64)] = Field(8, description="most channels of one connection")
    message_kb: Count = Field(256, description="kilobytes; a longer message ends the connection")
    queue_s: Annotated[float, Field(ge=0.1, le=60)] = Field(
        2.0, description="seconds of sound that may wait to be recognised; with more, the client has to wait"
    )
    idle_s: Seconds = Field(30.0, description="seconds without a message after which a connection ends")
    total_s: Annotated[float, Field(gt=0)] = Field(14_400.0, description="seconds after which a connection ends")
    slow_reader_s: Seconds = Field(10.0, description="seconds that an event waits for a client that does not read")
    request_s: Seconds = Field(10.0, description="seconds that a client has to send its request")
    uploads: Count = Field(4, description="most files at once; more are refused")
    upload_mb: Megabytes = Field(100.0, description="largest file, in megabytes")
    upload_hours: Annotated[float, Field(gt=0)] = Field(4.0, description="longest sound of a file, in hours")
    upload_s: Seconds = Field(120.0, description="seconds that a client has to send its file")


class ServeSettings(Settings):
    """All settings of `rtser serve`."""

    host: str = Field("127.0.0.1", description="address to listen on; any but loopback needs a token")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8765, description="port; 0: any free port")
    model: ModelFile = None
    provider: ProviderName = "auto"
    threads: Annotated[int, Field(ge=1, le=256)] = Field(1, description="threads of the network on a CPU")
    window_s: WindowSeconds = None
    batch_wait_ms: Annotated[float, Field(ge=0, le=1000)] = Field(
        5.0, description="milliseconds that a hop waits for hops of other streams, to share a step with them"
    )
    drain_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        10.0, description="seconds that streams may go on after SIGTERM; then they get their last events"
    )
    last_events_s: Seconds = Field(5.0, description="seconds that the last events may take")
    decide: Deciding = DecideSettings()
    access: AccessSettings = Field(AccessSettings(), description="who may use the server")
    tls: TlsSettings = Field(TlsSettings(), description="encryption; or put the server behind a proxy that encrypts")
    limits: LimitSettings = Field(LimitSettings(), description="limits of one client and of all together")


SERVE_HEADER = """\
# Every setting of `rtser serve` with its default. Change a copy: rtser serve --config my.yaml.
# One setting alone: rtser serve --set limits.streams=50. `rtser settings serve` prints this file.
"""
