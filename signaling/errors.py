"""Errors of signaling/.

SignalingError            the base; its message is one line for the person at the keyboard
├── SettingError          a flag or environment variable is out of its range
├── LinkError             what was given as the link of a room is none
├── PortTaken             the server's address is in use or not ours
├── MessageError          what came is not a message of the protocol
├── ServerUnreachable     nobody answers at the server's address
├── RoomNotMade           the server makes no room for the operator who asks
├── ServerLost            the server's socket closed before the call stood
├── Refusal               the server says no: a code and its words
├── NobodyCame            the other seat of the room stayed empty
├── PeerGone              the other side left
├── ConnectFailed         no way through the network to the other side
├── CallRefused           the other side says no, in its words
├── Mismatch              the two programs do not fit: versions, model, codec tables
└── ControlError          the other side breaks the rules of the control channel
"""

from enum import StrEnum


class SignalingError(Exception):
    """Base of what can go wrong in signaling/."""


class SettingError(SignalingError):
    """A flag or an environment variable has a value that its setting does not take."""


class LinkError(SignalingError):
    """What was given as the link of a room is none."""


class PortTaken(SignalingError):
    """The server's address is in use, or not one of this machine."""


class MessageError(SignalingError):
    """What came is not a message of the protocol."""


class ServerUnreachable(SignalingError):
    """Nobody answers at the server's address."""


class RoomNotMade(SignalingError):
    """The server makes no room for the operator who asks, or is not there."""


class ServerLost(SignalingError):
    """The server's socket closed before the call stood."""


class RefusalCode(StrEnum):
    """Why the server says no. Travels in `refused` and, as a number, in the WebSocket's close code."""

    BAD_ROOM_NAME = "bad_room_name"
    ROOM_FULL = "room_full"
    ROLE_TAKEN = "role_taken"
    TOO_MANY_ROOMS = "too_many_rooms"
    BAD_MESSAGE = "bad_message"
    MESSAGE_TOO_BIG = "message_too_big"
    JOIN_TIMEOUT = "join_timeout"
    TOO_SLOW = "too_slow"
    CAME_BACK = "came_back"
    # Appended, never put between: the close code is the place in this list.
    NO_TOKEN = "no_token"
    BAD_TOKEN = "bad_token"
    TOKEN_EXPIRED = "token_expired"
    WRONG_ROOM = "wrong_room"
    TOKEN_USED = "token_used"
    SEAT_TAKEN = "seat_taken"
    FOREIGN_ORIGIN = "foreign_origin"
    TOO_MANY_SOCKETS = "too_many_sockets"
    TOO_MANY_JOINS = "too_many_joins"
    TOO_MANY_MESSAGES = "too_many_messages"
    BAD_DESCRIPTION = "bad_description"
    IDLE = "idle"
    LIFETIME_OVER = "lifetime_over"
    STOPPING = "stopping"
    UNAVAILABLE = "unavailable"

    @property
    def close_code(self) -> int:
        """WebSocket close code of this refusal, 4000 to 4999 (the range for applications)."""
        return 4000 + list(RefusalCode).index(self)

    @property
    def passing(self) -> bool:
        """Whether the same peer may be let in a little later, here or by another instance."""
        return self in (
            RefusalCode.STOPPING,
            RefusalCode.UNAVAILABLE,
            RefusalCode.LIFETIME_OVER,
            RefusalCode.TOO_MANY_JOINS,
            RefusalCode.TOO_MANY_SOCKETS,
        )


class Refusal(SignalingError):
    """The server says no. `code` is for programs, the message for people."""

    def __init__(self, code: RefusalCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class NobodyCame(SignalingError):
    """The other seat of the room stayed empty for as long as we wait."""


class PeerGone(SignalingError):
    """The other side left before the call ended."""


class ConnectFailed(SignalingError):
    """The two peers found no way through the network to each other."""


class CallRefused(SignalingError):
    """The other side says no, in its words."""


class Mismatch(SignalingError):
    """The two programs do not fit each other: versions, model, codec tables."""


class ControlError(SignalingError):
    """The other side breaks the rules of the control channel."""
