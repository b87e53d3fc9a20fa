"""What crosses a signaling WebSocket: JSON objects tagged by `type`, one a text message.

    peer -> server   join          first of all, within join_timeout_s; with the token of the link where the server
                                   wants one; with a seat's secret, to have it back
                     description   an SDP offer or answer for the other seat
                     report        how the call goes, for the server's figures; only where `joined` asks for it
    server -> peer   joined        the seat is taken; says whether the other one is, too
                     peer_joined   the other seat is taken now
                     peer_left     the other seat is free again
                     description   as the other seat sent it
                     refused       no, and why; the socket closes after it

Candidates travel inside the SDP: aiortc gathers all of them before the description is made.
"""

from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from signaling.errors import MessageError, RefusalCode

Role = Literal["sender", "receiver", "caller", "callee"]
Wish = Literal["sender", "receiver", "call"]
"""What a peer asks for. Both peers of a two-way call ask for `call`: who comes first becomes the callee, the second one
the caller, and only a caller makes offers, so that two never cross."""
OTHER: Final[dict[Role, Role]] = {
    "sender": "receiver",
    "receiver": "sender",
    "caller": "callee",
    "callee": "caller",
}
T = TypeVar("T")

SIGNALING_VERSION: Literal[3] = 3
"""Version 2 knew no tokens and no reports. Servers take both, so they are the first to be upgraded."""
MAX_MESSAGE_BYTES = 65536
"""Default limit of one message, in bytes of UTF-8. An SDP with ten candidates is 2 kB."""
MAX_COMPLAINT = 300  # characters
MAX_TOKEN_CHARS = 1024


def other_role(role: Role) -> Role:
    """Return the role of the other seat."""
    return OTHER[role]


SeatSecret = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Message(BaseModel):
    """One message. Unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Join(Message):
    """Take a seat."""

    type: Literal["join"] = "join"
    role: Wish
    seat: Annotated[SeatSecret | None, Field(repr=False)] = None
    """Of the seat of a call that is to be had back; without one it is a new seat."""
    token: Annotated[str | None, Field(max_length=MAX_TOKEN_CHARS, repr=False)] = None
    """What came after the # of the link."""
    version: Literal[2, 3] = SIGNALING_VERSION


class Description(Message):
    """An SDP offer or answer, passed on unread."""

    type: Literal["description"] = "description"
    kind: Literal["offer", "answer"]
    call: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    """Chosen with the offer, repeated by its answer: an answer to a peer that has left is not taken for ours."""
    sdp: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_BYTES, repr=False)]


class Report(Message):
    """How a peer's call went in the last `call_s` seconds, in which a connection stood. Only the server hears it."""

    type: Literal["report"] = "report"
    connect_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    """From the offer, made or heard, until the connection stood; once for each connection."""
    call_s: Annotated[float, Field(ge=0, le=3600)]
    sent_kbps: Annotated[float, Field(ge=0, le=1e6)] | None = None
    """On the wire, headers of IP included; None where that is not counted."""
    received_kbps: Annotated[float, Field(ge=0, le=1e6)] | None = None
    relayed: bool = False
    """Whether the way goes over a TURN server."""


class Joined(Message):
    """The seat is yours."""

    type: Literal["joined"] = "joined"
    room: str
    role: Role
    peer_present: bool
    seat: Annotated[SeatSecret, Field(repr=False)]
    """With this the seat of a call can be had back within a while after its connection was lost."""
    report_each_s: float | None = None
    """Seconds between two reports that the server would like; None: it wants none (version 2 knew none)."""


class PeerJoined(Message):
    """The other seat is taken now; or, where it was already, its peer has come back on a new connection."""

    type: Literal["peer_joined"] = "peer_joined"
    role: Role


class PeerLeft(Message):
    """The other seat is free again."""

    type: Literal["peer_left"] = "peer_left"
    role: Role


class Refused(Message):
    """No, and why."""

    type: Literal["refused"] = "refused"
    code: RefusalCode
    reason: str


PeerMessage = Join | Description | Report
ServerMessage = Joined | PeerJoined | PeerLeft | Description | Refused

_PEER: TypeAdapter[PeerMessage] = TypeAdapter(Annotated[PeerMessage, Field(discriminator="type")])
_SERVER: TypeAdapter[ServerMessage] = TypeAdapter(Annotated[ServerMessage, Field(discriminator="type")])


def parse_peer_message(text: str) -> PeerMessage:
    """Parse what a peer sent. Raises MessageError."""
    return _parse(_PEER, text)


def parse_server_message(text: str | bytes) -> ServerMessage:
    """Parse what the server sent. Raises MessageError."""
    return _parse(_SERVER, text)


def _parse(adapter: TypeAdapter[T], text: str | bytes) -> T:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        raise MessageError(f"expected a signaling message, {first_complaint(error)}") from None


def first_complaint(error: ValidationError) -> str:
    """Say in a few words what is wrong, in one line, without repeating what came (it may be an SDP, or hostile).

    Names of fields and types are repeated, in part: they are for a person to read, so nothing in them moves a cursor.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    words = f"{place}: {first['msg']}" if place else first["msg"]
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in words[:MAX_COMPLAINT])
    return shown if len(words) <= MAX_COMPLAINT else f"{shown}..."
