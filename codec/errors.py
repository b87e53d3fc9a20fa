"""What can go wrong in the codec, in words a user can read.

CodecError
├── MotionError      numbers that are no motion, or motions that do not make one message
├── TablesError      frequency tables of a wrong shape, or that do not add up
├── WireError        bytes that are no media message of this version, for these tables
└── RecordingError   a file that is no recording, is damaged, or cannot be written
"""


class CodecError(Exception):
    """Base of every error of this package; the message is one line: what was expected, what came."""


class MotionError(CodecError):
    """Numbers that are no motion (wrong shape, not finite), or motions that do not make one message."""


class TablesError(CodecError):
    """Frequency tables that have a wrong shape, a zero, or rows that do not add up to 65536."""


class WireError(CodecError):
    """Bytes that are no media message of this version, or not one for these tables."""


class RecordingError(CodecError):
    """A file that is no recording of this version, is damaged from some place on, or cannot be read or written."""
