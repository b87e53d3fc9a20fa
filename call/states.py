"""The states of a call, what the engine is told to do about them, and the errors of call/.

    starting -> waiting -> connecting -> in call <-> unstable -> reconnecting -> in call
                   ^___________|  ^ offers of the other side      |________________^
    any of them -> ended

CallError             the base; its message is one line for the person at the keyboard
└── WrongState        something was reported that cannot happen in this state: an error in the program
"""

from dataclasses import dataclass
from enum import StrEnum


class CallError(Exception):
    """Base of what can go wrong in call/."""


class WrongState(CallError):
    """Something was reported that cannot happen in this state."""


class State(StrEnum):
    """What a call is doing, in the words that a person reads."""

    STARTING = "starting"
    WAITING = "waiting"
    CONNECTING = "connecting"
    IN_CALL = "in call"
    UNSTABLE = "unstable"
    RECONNECTING = "reconnecting"
    ENDED = "ended"


@dataclass(frozen=True)
class Dial:
    """Make a peer connection, send its offer under this id."""

    call: str


@dataclass(frozen=True)
class Repeat:
    """Send the offer of this id once more: the other side may not have been there to hear it."""

    call: str


@dataclass(frozen=True)
class Answer:
    """Make a peer connection from the offer of this id, send its answer."""

    call: str


@dataclass(frozen=True)
class Accept:
    """Give the answer of this id to the peer connection that waits for it."""

    call: str


@dataclass(frozen=True)
class Drop:
    """Close the peer connection of this id. It may be closed already."""

    call: str


@dataclass(frozen=True)
class Finish:
    """Say goodbye with these words to whoever still hears, and end everything."""

    words: str


Action = Dial | Repeat | Answer | Accept | Drop | Finish
