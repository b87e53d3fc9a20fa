"""What crosses the control channel: JSON objects tagged by `type`, one a text message; binary messages are chunks.

The order in which they come is drawn in control.py. Every limit is checked before memory is taken.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from signaling.errors import ControlError
from signaling.messages import Message, Role, first_complaint, other_role

PROTOCOL_VERSION = 3
MAX_SOURCE_BYTES = 1 << 20
CHUNK_BYTES = 16384
LEAST_CHUNK_BYTES = 256
CHUNK_HEADER_BYTES = 4
MAX_TEXT_BYTES = 16384

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(max_length=128)]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Mime = Literal["image/webp", "image/jpeg", "image/png", "image/avif"]


class ControlMessage(Message):
    """One text message of the channel."""


class Hello(ControlMessage):
    """Who speaks, and what it can be understood by."""

    type: Literal["hello"] = "hello"
    role: Role
    protocol: int = PROTOCOL_VERSION
    codec_format: int
    model_id: Name
    tables_sha256: Name
    picture_px: Annotated[int, Field(ge=0, le=4096)] = 0
    """Side of the pictures that the receiver shows; 0: the model's. A sender that has more detail sends it for more."""
    pictures: Annotated[tuple[Mime, ...], Field(max_length=8)] = ("image/webp",)
    """The types of source pictures that are read here. Who does not say so reads WebP."""

    def mismatch(self, other: "Hello") -> str | None:
        """Say in words why the other side cannot be understood, or None. Both sides come to the same judgement."""
        if other.role == self.role:
            return f"expected a {other_role(self.role)} on the other side, it is a {other.role} as well"
        for name, unit, mine, theirs in (
            ("protocol version", "facewire version", self.protocol, other.protocol),
            ("codec format version", "facewire version", self.codec_format, other.codec_format),
            ("model", "weights", self.model_id, other.model_id),
            ("codec tables", "weights", self.tables_sha256, other.tables_sha256),
        ):
            if mine != theirs:
                return (
                    f"expected the same {name} on both sides, this {self.role} has {_short(mine)} and the "
                    f"{other.role} has {_short(theirs)}: give both the same {unit}"
                )
        return None


def _short(value: int | str) -> str:
    return value[:12] if isinstance(value, str) else str(value)


class Refuse(ControlMessage):
    """No, and why. The sender of it closes."""

    type: Literal["refuse"] = "refuse"
    reason: Words


class SourceBegin(ControlMessage):
    """A source picture is on offer."""

    type: Literal["source_begin"] = "source_begin"
    sha256: Sha256
    bytes: Annotated[int, Field(ge=1, le=MAX_SOURCE_BYTES)]
    mime: Mime
    chunks: Annotated[int, Field(ge=1, le=MAX_SOURCE_BYTES // LEAST_CHUNK_BYTES)]
    chunk_bytes: Annotated[int, Field(ge=LEAST_CHUNK_BYTES, le=CHUNK_BYTES)] = CHUNK_BYTES
    """Of each chunk but the last. Small ones can be sent one by one beside a call without holding it up."""


class SourceWant(ControlMessage):
    """Send it."""

    type: Literal["source_want"] = "source_want"
    sha256: Sha256


class SourceHave(ControlMessage):
    """Have it: nothing needs to be sent."""

    type: Literal["source_have"] = "source_have"
    sha256: Sha256


class SourceReady(ControlMessage):
    """The picture is decoded and the renderer warm."""

    type: Literal["source_ready"] = "source_ready"
    sha256: Sha256


class SourceUse(ControlMessage):
    """In a two-way call: the motion of frames captured at `from_s` and later is told against this picture.

    Said once the other side is ready for it, and some time ahead, so that both sides change at the same frame.
    `from_s` is on the clock of the media: seconds since its sender said hello.
    """

    type: Literal["source_use"] = "source_use"
    sha256: Sha256
    from_s: Annotated[float, Field(ge=0, lt=1 << 32)]


class Mute(ControlMessage):
    """The microphone is off, or on again."""

    type: Literal["mute"] = "mute"
    on: bool


class Camera(ControlMessage):
    """The camera is on, or off: then the last picture stays."""

    type: Literal["camera"] = "camera"
    on: bool


class Chat(ControlMessage):
    """A line of text for the person on the other side."""

    type: Literal["chat"] = "chat"
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class Recording(ControlMessage):
    """The call is being recorded on this side, or not any more. The person on the other side is told."""

    type: Literal["recording"] = "recording"
    on: bool


class Start(ControlMessage):
    """Media begins. `frame_rate` is what the sender will capture, frames a second; 0 where it does not know.

    `sound`: whether sound comes as well, so that a film is begun with room for it.
    """

    type: Literal["start"] = "start"
    first_sequence: Annotated[int, Field(ge=0, le=65535)] = 0
    frame_rate: Annotated[float, Field(ge=0, le=1000)]
    sound: bool = False


class Idle(ControlMessage):
    """Still here, but with nothing to send."""

    type: Literal["idle"] = "idle"
    reason: Words


class CropMoved(ControlMessage):
    """The sender's crop, the square of the camera's picture that the motion is told in, has moved or is moving.

    From the frame captured at `capture_time_s` on (on the clock of the media) it is a square of this place and side, in
    sides of the first crop and from that one's upper left corner: 0, 0, 1 is the first crop. It moves in straight lines
    between two messages; one comes where a move begins, each quarter of a second on the way, and where it ends.
    """

    type: Literal["crop_moved"] = "crop_moved"
    capture_time_s: Annotated[float, Field(ge=0, lt=1 << 32)]
    left: Annotated[float, Field(ge=-256, le=256)]
    top: Annotated[float, Field(ge=-256, le=256)]
    side: Annotated[float, Field(gt=0, le=256)]


class Bye(ControlMessage):
    """The end. From the sender: frames and messages sent; from the receiver: received."""

    type: Literal["bye"] = "bye"
    frames: Count
    messages: Count
    reason: Words


AnyControlMessage = (
    Hello
    | Refuse
    | SourceBegin
    | SourceWant
    | SourceHave
    | SourceReady
    | SourceUse
    | Start
    | Idle
    | CropMoved
    | Mute
    | Camera
    | Chat
    | Recording
    | Bye
)  # a chunk is `bytes`
_MESSAGES: TypeAdapter[AnyControlMessage] = TypeAdapter(Annotated[AnyControlMessage, Field(discriminator="type")])


def parse_control_message(text: str) -> AnyControlMessage:
    """Parse one text message. Raises ControlError."""
    if len(text) > MAX_TEXT_BYTES:
        raise ControlError(f"expected a control message of at most {MAX_TEXT_BYTES} bytes, got {len(text)}")
    try:
        return _MESSAGES.validate_json(text)
    except ValidationError as error:
        raise ControlError(f"expected a control message: {first_complaint(error)}") from None


def name_of(item: ControlMessage | bytes) -> str:
    """Name what came, for an error."""
    return f"a chunk of {len(item)} bytes" if isinstance(item, bytes) else f"'{tag(type(item))}'"


def tag(kind: type[ControlMessage]) -> str:
    """Return the `type` of a kind of message."""
    return str(kind.model_fields["type"].default)
