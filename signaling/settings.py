"""Settings of the signaling server and of the transport, and how every program reads its own."""

from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from signaling.errors import SettingError
from signaling.messages import MAX_MESSAGE_BYTES, first_complaint

DEFAULT_PORT = 8765
DEFAULT_SERVER = f"ws://127.0.0.1:{DEFAULT_PORT}"

S = TypeVar("S", bound=BaseSettings)


def read_settings(kind: type[S], **flags: Any) -> S:
    """Read settings from the environment; flags that are not None win. Raises SettingError in words."""
    try:
        return kind(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingError(
            f"expected settings in their ranges, got one that is not: {first_complaint(error)}"
        ) from None


class TransportSettings(BaseSettings):
    """How packets are made, the same in every program: FACEWIRE_TUNED_SCTP in the environment."""

    model_config = SettingsConfigDict(env_prefix="FACEWIRE_", frozen=True)

    tuned_sctp: bool = True
    """Fewer and shorter packets (signaling/sctp.py); 0 leaves aiortc as it is."""


class SignalSettings(BaseSettings):
    """Every setting of `facewire signal`; FACEWIRE_PORT and so on in the environment, flags win."""

    model_config = SettingsConfigDict(env_prefix="FACEWIRE_", frozen=True)

    host: str = "127.0.0.1"
    """Address to listen on. The default is this machine only."""
    port: Annotated[int, Field(ge=0, le=65535)] = DEFAULT_PORT
    """TCP port; 0 takes a free one and prints it."""
    max_rooms: Annotated[int, Field(ge=1)] = 1000
    """Rooms open at one time."""
    max_message_bytes: Annotated[int, Field(ge=1024, le=1 << 20)] = MAX_MESSAGE_BYTES
    """Bytes of one message from a peer."""
    join_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds from the open socket to the `join` message."""
    send_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that a peer may take to accept one message."""
    outbox_messages: Annotated[int, Field(ge=4)] = 32
    """Messages that wait for a slow peer before it is put out."""
    ping_interval_s: Annotated[float, Field(gt=0)] = 20.0
    """Seconds between two pings; a peer that leaves one unanswered as long is put out."""
    grace_s: Annotated[float, Field(ge=0)] = 5.0
    """Seconds that open sockets get when the server stops."""
