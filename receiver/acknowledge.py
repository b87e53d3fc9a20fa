"""When the receiver tells the sender what has come. A plain object: time is passed in, nothing waits here.

An acknowledgement alone costs a packet of some 100 B, so few are sent while all is well, more while messages are lost,
and one at once when a message builds on what we do not hold. It goes only when a message has just come, so that the
sender can take the time since it sent that one for a round trip.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from codec.acknowledgement import ACKNOWLEDGED_BEFORE, Acknowledgement
from codec.codec_tables import CodecTables
from codec.encoder import Encoder
from signaling.errors import PeerGone

CALM_S: Final = 0.5
LOSSY_S: Final = 0.2
LACKING_S: Final = 0.05
ALL_CAME: Final = (1 << ACKNOWLEDGED_BEFORE) - 1


class Acknowledger:
    """Decides for one direction of a call."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self.told = 0
        """Acknowledgements that were due, and are taken as sent."""

    def due(self, acknowledgement: Acknowledgement | None, now_s: float) -> bool:
        """Whether this one, after a message that has just come, is to be sent."""
        if acknowledgement is None:
            return False
        if self._last_s is not None and now_s - self._last_s < _patience_s(acknowledgement):
            return False
        self._last_s = now_s
        self.told += 1
        return True


def _patience_s(acknowledgement: Acknowledgement) -> float:
    if acknowledgement.lacking:
        return LACKING_S
    return CALM_S if acknowledgement.received == ALL_CAME else LOSSY_S


def answer_by(send: Callable[[bytes], None], tables: CodecTables) -> Callable[[Acknowledgement], None]:
    """Make what sends acknowledgements in messages of their own: for who receives and has no motion to send."""
    encoder = Encoder(tables)

    def answer(acknowledgement: Acknowledgement) -> None:
        with suppress(PeerGone):  # whoever watches the connection says so
            send(encoder.encode([], acknowledge=acknowledgement))

    return answer
