"""Settings of the signaling server and of the transport, and how every program reads its own."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from signaling.errors import SettingError
from signaling.messages import MAX_MESSAGE_BYTES, first_complaint
from signaling.secret_files import SecretFiles, refuse_weak

DEFAULT_PORT = 8765
DEFAULT_SERVER = f"ws://127.0.0.1:{DEFAULT_PORT}"

S = TypeVar("S", bound=BaseSettings)


def _split(value: object) -> object:
    """Read `a, b` as two; what is no text is left to pydantic."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A list, in the environment with commas between."""


def read_settings(kind: type[S], **flags: Any) -> S:
    """Read settings from the environment; flags that are not None win. Raises SettingError in words."""
    try:
        return kind(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingError(
            f"expected settings in their ranges, got one that is not: {first_complaint(error)}"
        ) from None


class TransportSettings(BaseSettings):
    """How a connection is made, the same in every program: FACEWIRE_TUNED_SCTP and so on, flags win."""

    model_config = SettingsConfigDict(env_prefix="FACEWIRE_", frozen=True, env_ignore_empty=True)

    tuned_sctp: bool = True
    """Fewer and shorter packets (signaling/sctp.py); 0 leaves aiortc as it is."""
    ice_servers: Words = ()
    """STUN and TURN servers: stun:HOST:PORT, turn:USER:PASSWORD@HOST:PORT?transport=udp, turns:...; besides those that
    the signaling server names for a link with a token."""
    turn_transport: Literal["udp", "tcp", "tls"] | None = None
    """The only kind of TURN server to use; None: the first, and the next one after each attempt that failed."""
    relay_only: bool = False
    """Whether nothing but a TURN server is used as a way to the other side."""


class SignalSettings(BaseSettings):
    """Every setting of `facewire signal`; FACEWIRE_PORT and so on in the environment, flags win.

    A secret may be in a file: FACEWIRE_TOKEN_SECRET_FILE names it. Without a token secret the server is open: whoever
    knows or guesses a room's name may join.
    """

    model_config = SettingsConfigDict(
        env_prefix="FACEWIRE_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    """Address to listen on. The default is this machine only."""
    port: Annotated[int, Field(ge=0, le=65535)] = DEFAULT_PORT
    """TCP port; 0 takes a free one and prints it."""
    public_url: str | None = None
    """What links begin with, ws://host:port or wss://host; None: the address that `POST /rooms` was sent to."""
    tls_certificate_file: Path | None = None
    """PEM file of the certificate and those between it and the root; None: no TLS here."""
    tls_key_file: Path | None = None
    """PEM file of the certificate's key."""
    trusted_proxies: Words = ()
    """Addresses or networks (10.0.0.0/8) of the proxies whose X-Forwarded-For and X-Forwarded-Proto count."""
    allowed_origins: Words = ()
    """Web pages (https://host) that may open a WebSocket here; facewire's own programs are no web pages."""
    metrics_from: Words = ("127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    """Addresses or networks that may read /metrics."""

    token_secret: SecretStr | None = None
    """Signs seat tokens (HS256). With it nobody joins without a token."""
    token_secret_before: SecretStr | None = None
    """The one before; tokens that it has signed are good until they expire."""
    api_key: SecretStr | None = None
    """What operators show to `POST /rooms`; several with commas between."""
    token_lifetime_s: Annotated[int, Field(ge=60, le=2_592_000)] = 86_400
    """Seconds that a seat token is good for, where `POST /rooms` does not ask for fewer."""
    token_once: bool = False
    """Whether a token is good for one join alone; then only the running program finds back to its seat."""
    stun_urls: Words = ()
    """STUN servers told to peers, stun:host:port."""
    turn_urls: Words = ()
    """TURN servers told to peers, turn:host:port?transport=udp or turns:host:port?transport=tcp; the one to try first
    comes first."""
    turn_secret: SecretStr | None = None
    """coturn's static-auth-secret."""
    turn_credential_s: Annotated[int, Field(ge=60, le=86_400)] = 3600
    """Seconds that a credential for the TURN server may begin a connection."""
    redis_url: SecretStr | None = None
    """redis://:PASSWORD@host:port/0 of the Redis through which instances share rooms; None: this one is alone."""
    redis_timeout_s: Annotated[float, Field(ge=0.1, le=30)] = 2.0
    """Seconds that Redis may take to answer before it counts as gone."""
    server_silent_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    """Seconds without a sign of life after which another instance is taken for dead and its seats given back."""

    max_rooms: Annotated[int, Field(ge=1)] = 1000
    """Rooms open at one time."""
    max_sockets: Annotated[int, Field(ge=2)] = 4000
    """Connections open at one time, those that have no seat yet included."""
    max_message_bytes: Annotated[int, Field(ge=1024, le=1 << 20)] = MAX_MESSAGE_BYTES
    """Bytes of one message from a peer, and of one HTTP request's body."""
    max_candidates: Annotated[int, Field(ge=1)] = 64
    """ICE candidates in one description."""
    messages_per_s: Annotated[float, Field(gt=0)] = 5.0
    """Messages a second from one peer; ten times as many at once."""
    joins_per_min: Annotated[float, Field(gt=0)] = 120.0
    """Joins a minute from one address (one network of 64 bits in IPv6)."""
    requests_per_min: Annotated[float, Field(gt=0)] = 600.0
    """Requests a minute from one address to `POST /rooms` and `GET /ice-servers`."""
    join_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds from the open socket to the `join` message."""
    send_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that a peer may take to accept one message."""
    outbox_messages: Annotated[int, Field(ge=4)] = 32
    """Messages that wait for a slow peer before it is put out."""
    ping_interval_s: Annotated[float, Field(gt=0)] = 20.0
    """Seconds between two pings; a peer that leaves one unanswered as long is put out."""
    idle_s: Annotated[float, Field(gt=0)] = 7200.0
    """Seconds that a peer may sit alone in its room."""
    lifetime_s: Annotated[float, Field(gt=0)] = 86_400.0
    """Seconds that a peer may hold its seat on one connection; a call under way goes on without."""
    seat_kept_s: Annotated[float, Field(ge=0)] = 30.0
    """Seconds that the seat of a two-way call is kept for a peer whose connection was lost."""
    report_each_s: Annotated[float, Field(ge=1)] = 30.0
    """Seconds between two reports of a peer in a call, for /metrics."""
    drain_s: Annotated[float, Field(ge=0)] = 0.0
    """Seconds, from the signal to stop on, in which rooms that are open may still fill; new ones are refused."""
    grace_s: Annotated[float, Field(ge=0)] = 5.0
    """Seconds that open sockets get when the server stops, after `drain_s`."""
    log_format: Literal["json", "text"] = "text"
    """Lines of the log: JSON objects, or for people."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """Least weight of a line of the log."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, files of secrets."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    @property
    def guarded(self) -> bool:
        """Whether nobody joins without a token."""
        return self.token_secret is not None

    @property
    def api_keys(self) -> tuple[str, ...]:
        """The operators' keys."""
        return _several(self.api_key)

    @field_validator("token_secret", "token_secret_before", "turn_secret", "api_key")
    @classmethod
    def _strong(cls, secret: SecretStr | None) -> SecretStr | None:
        for one in _several(secret):
            refuse_weak(one)
        return secret

    @field_validator("trusted_proxies", "metrics_from")
    @classmethod
    def _networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                ipaddress.ip_network(value)
            except ValueError:
                raise ValueError(f"expected addresses or networks like 10.0.0.0/8, got {value[:64]!r}") from None
        return values

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("ws", "wss") or not urlsplit(value).hostname):
            raise ValueError("expected ws://host:port or wss://host")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.guarded != (self.api_key is not None):
            raise ValueError("expected a token secret and an API key, or neither: one without the other opens nothing")
        if self.turn_secret is not None and not (self.guarded and self.turn_urls):
            raise ValueError("expected a token secret and TURN URLs beside a TURN secret: it is given to seats alone")
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("expected a TLS certificate file and a TLS key file, or neither")
        given = [one for each in (self.token_secret, self.turn_secret, self.api_key) for one in _several(each)]
        if len(given) != len(set(given)):
            raise ValueError("expected another secret for each purpose, one is given twice")
        return self


def _several(secret: SecretStr | None) -> tuple[str, ...]:
    text = secret.get_secret_value() if secret is not None else ""
    return tuple(part.strip() for part in text.split(",") if part.strip())
