"""What the page and the engine say to each other over the one WebSocket between them: JSON tagged by `type`.

page/messages.js holds the same names; tests/page/test_message_names.py keeps them equal. Pictures and sound are binary
messages: page_binary.py.
"""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from call.errors import PageError
from call.states import State
from signaling.messages import Message, first_complaint

MOST_TEXT_BYTES: Final = 24 << 20
"""A source picture of 16 MiB as base64."""


class PageMessage(Message):
    """One message between the two."""


class Codecs(PageMessage):
    """What the browser can code and decode."""

    opus: bool


class PageHello(PageMessage):
    """First of all: what the page can do."""

    type: Literal["hello"] = "hello"
    codecs: Codecs


class PageStart(PageMessage):
    """Begin the call. `consent`: whether one's picture may be sent, and rendered by the other side."""

    type: Literal["start"] = "start"
    consent: bool
    room_link: Annotated[str, Field(max_length=500)] | None = None
    """Of the room to join, where the person gave one in the page."""


class PageView(PageMessage):
    """Turn the other's face by these angles, within the model's limits."""

    type: Literal["view"] = "view"
    yaw_deg: Annotated[float, Field(ge=-90, le=90)]
    pitch_deg: Annotated[float, Field(ge=-90, le=90)]


class PageFrontalise(PageMessage):
    """Have the other's face look at the viewer."""

    type: Literal["frontalise"] = "frontalise"
    on: bool


class PageMute(PageMessage):
    """Microphone off."""

    type: Literal["mute"] = "mute"
    on: bool


class PageCamera(PageMessage):
    """Camera on or off."""

    type: Literal["camera"] = "camera"
    on: bool


class PageSelfView(PageMessage):
    """Show oneself as the other side sees one."""

    type: Literal["self_view"] = "self_view"
    on: bool


class PageChat(PageMessage):
    """A line for the other person."""

    type: Literal["chat"] = "chat"
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class PageSource(PageMessage):
    """A picture of oneself from a file, base64; `apply`: send it, else only show what would be sent."""

    type: Literal["source"] = "source"
    jpeg: Annotated[str, Field(repr=False)]
    apply: bool


class PageTakeSource(PageMessage):
    """Take a new picture of oneself from the camera, and show it before it is sent."""

    type: Literal["take_source"] = "take_source"


class PageRecord(PageMessage):
    """Record the call, or stop."""

    type: Literal["record"] = "record"
    on: bool


class PageKeepFresh(PageMessage):
    """Whether a new picture of oneself may be taken and sent unasked where the old one no longer fits."""

    type: Literal["keep_fresh"] = "keep_fresh"
    on: bool


class PageLeave(PageMessage):
    """Hang up."""

    type: Literal["leave"] = "leave"


AnyPageMessage = (
    PageHello
    | PageStart
    | PageView
    | PageFrontalise
    | PageMute
    | PageCamera
    | PageSelfView
    | PageChat
    | PageSource
    | PageTakeSource
    | PageRecord
    | PageKeepFresh
    | PageLeave
)
_MESSAGES: TypeAdapter[AnyPageMessage] = TypeAdapter(Annotated[AnyPageMessage, Field(discriminator="type")])


def parse(text: str) -> AnyPageMessage:
    """Read a JSON message of the page. Raises PageError."""
    if len(text) > MOST_TEXT_BYTES:
        raise PageError(f"expected a message of at most {MOST_TEXT_BYTES} bytes, got {len(text)}")
    try:
        return _MESSAGES.validate_json(text)
    except ValidationError as error:
        raise PageError(f"expected a message of the page: {first_complaint(error)}") from None


class StateMessage(PageMessage):
    """Where the call stands and why; `room_link` is what the other side needs."""

    type: Literal["state"] = "state"
    state: State
    reason: str
    room_link: str


class Stats(PageMessage):
    """Each half second. Wire rates hold every byte at the UDP socket and 28 a packet, payload is media messages alone.

    loss: share of the other side's last messages that did not come. delay_ms: from their camera to this screen, as far
    as it is known: half a round trip, the playout delay, rendering; None before that. fps_in: pictures shown, fps_out:
    frames sent. h264_kbps: what ordinary video of like quality and the same sound would take (stats.py).
    """

    type: Literal["stats"] = "stats"
    wire_kbps_in: float
    wire_kbps_out: float
    payload_kbps_in: float
    payload_kbps_out: float
    loss: float
    delay_ms: float | None
    fps_in: float
    fps_out: float
    h264_kbps: float


class CropMessage(PageMessage):
    """The square of the camera's picture that the networks see, in its pixels."""

    type: Literal["crop"] = "crop"
    left: float
    top: float
    side: float


class ChatMessage(PageMessage):
    """A line of text, from `them` or `me`."""

    type: Literal["chat"] = "chat"
    text: str
    from_: Annotated[Literal["them", "me"], Field(alias="from")]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FaceMessage(PageMessage):
    """Whether the camera shows a face that can be used, how surely, and what to do about it."""

    type: Literal["face"] = "face"
    found: bool
    score: float
    words: str


class SourcePreview(PageMessage):
    """The picture of oneself that would be sent, base64 (its type is in its first bytes)."""

    type: Literal["source_preview"] = "source_preview"
    jpeg: Annotated[str, Field(repr=False)]


class ErrorMessage(PageMessage):
    """Something went wrong, and what the person can do."""

    type: Literal["error"] = "error"
    words: str
    what_to_do: str


class MuteMessage(PageMessage):
    """A microphone is off or on: `me` or `them`."""

    type: Literal["mute"] = "mute"
    on: bool
    who: Literal["me", "them"]


class RecordMessage(PageMessage):
    """The call is recorded, by `me` or `them`, or not any more; `where`: the file, of one's own."""

    type: Literal["record"] = "record"
    on: bool
    who: Literal["me", "them"]
    where: str = ""


class AskSource(PageMessage):
    """A new picture of oneself would help the other side, and why; "" where it would not any more."""

    type: Literal["ask_source"] = "ask_source"
    why: str


class VoiceMessage(PageMessage):
    """How many bits a second the voice is to be coded at, as the link has room."""

    type: Literal["voice"] = "voice"
    bit_rate: int


EngineMessage = (
    StateMessage
    | Stats
    | CropMessage
    | ChatMessage
    | FaceMessage
    | SourcePreview
    | ErrorMessage
    | MuteMessage
    | RecordMessage
    | AskSource
    | VoiceMessage
)
