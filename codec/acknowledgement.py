"""What a receiver tells a sender about the messages that came: it rides in a message of the other direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ACKNOWLEDGED_BEFORE: Final = 16  # messages before the newest that are told of
NOTHING_HELD: Final = -1


@dataclass(frozen=True)
class Acknowledgement:
    """Which messages the receiver can build on.

    newest: sequence, 0..1023, of the newest message decoded; -1 when there is none. received: bit i is set when
    message newest-1-i itself was decoded (not when only a later one repeated it, or the sender could not count what
    is lost); 16 bits. lacking: a message came that builds on a state which the receiver does not hold, and none that
    it could decode has come since.
    """

    newest: int
    received: int
    lacking: bool = False
