"""What can go wrong in the codec, in words a user can read.

CodecError
├── MotionError      numbers that are no motion, or motions that do not make one message
├── TablesError      tables of a wrong shape, or that do not add up
├── WireError        bytes that are no media message of this version, for these tables
│   └── MissingReference   a good message that builds on one which was lost
├── SoundError       sound that cannot be coded, or bytes that are no section of sound
└── RecordingError   a file that is no recording, is damaged, or cannot be written
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codec.decoder import MediaMessage


class CodecError(Exception):
    """Base of every error of this package; the message is one line: what was expected, what came."""


class MotionError(CodecError):
    """Numbers that are no motion (wrong shape, not finite), or motions that do not make one message."""


class TablesError(CodecError):
    """Tables that have a wrong shape, a zero, or rows that do not add up to 65536."""


class WireError(CodecError):
    """Bytes that are no media message of this version, or not one for these tables."""


class MissingReference(WireError):
    """A message whose motion builds on the state after another message, which is not held.

    reference: the sequence of that other message. message: what the message says besides motion: its sequence,
    acknowledgement and sound, with no frames.
    """

    def __init__(self, text: str, reference: int, message: MediaMessage) -> None:
        super().__init__(text)
        self.reference = reference
        self.message = message


class SoundError(CodecError):
    """Sound that cannot be coded, or bytes that are no section of sound or no packet."""


class RecordingError(CodecError):
    """A file that is no recording of this version, is damaged from some place on, or cannot be read or written."""
