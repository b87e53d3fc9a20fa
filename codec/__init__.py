"""Motion to bytes and back. numpy and constriction only; FORMAT.md describes every byte.

Encoder.encode: motion -> paper (fp16 bytes) -> symbols (range coder) -> wire (header) -> media message
Decoder.decode: the same way back            RecordingWriter, RecordingReader: messages in a file
"""

from codec.decoder import Decoder, MediaMessage
from codec.encoder import Encoder
from codec.errors import CodecError, MotionError, RecordingError, TablesError, WireError
from codec.motion import MAX_KEYPOINTS, Motion
from codec.recording import RecordingReader, RecordingWriter
from codec.recording_header import MAX_SOURCE_BYTES, RECORDING_VERSION, SOURCE_MIMES, RecordingHeader
from codec.tables import ByteTables
from codec.wire import (
    MAX_FRAMES,
    MAX_MESSAGE_BYTES,
    WIRE_VERSION,
    MessageCost,
    Profile,
    message_cost,
    unwrap_sequence,
)

__all__ = [
    "MAX_FRAMES",
    "MAX_KEYPOINTS",
    "MAX_MESSAGE_BYTES",
    "MAX_SOURCE_BYTES",
    "RECORDING_VERSION",
    "SOURCE_MIMES",
    "WIRE_VERSION",
    "ByteTables",
    "CodecError",
    "Decoder",
    "Encoder",
    "MediaMessage",
    "MessageCost",
    "Motion",
    "MotionError",
    "Profile",
    "RecordingError",
    "RecordingHeader",
    "RecordingReader",
    "RecordingWriter",
    "TablesError",
    "WireError",
    "message_cost",
    "unwrap_sequence",
]
