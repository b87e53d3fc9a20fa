"""Motion to bytes and back. numpy and constriction only; FORMAT.md describes every byte.

Encoder.encode: motion -> quantise (integers) -> chain (residuals on a state) -> symbols (range coder) -> wire (message)
Decoder.decode: the same way back            RecordingWriter, RecordingReader: messages in a file
Profile `paper` goes another way in the middle: paper (fp16 bytes) -> symbols.
"""

from codec.acknowledgement import Acknowledgement
from codec.codec_tables import CodecTables
from codec.decoder import Decoder, MediaMessage
from codec.encoder import Encoder
from codec.errors import CodecError, MissingReference, MotionError, RecordingError, TablesError, WireError
from codec.motion import MAX_KEYPOINTS, Motion
from codec.predictive_tables import PredictiveTables
from codec.recording import RecordingReader, RecordingWriter
from codec.recording_header import RECORDING_VERSION, RecordingHeader
from codec.recording_records import (
    MAX_SOURCE_BYTES,
    SOURCE_MIMES,
    ConnectionRecord,
    ControlRecord,
    Direction,
    MediaRecord,
    Record,
    SourceRecord,
    StatisticsRecord,
)
from codec.tables import ByteTables
from codec.wire import (
    MAX_FRAMES,
    MAX_MESSAGE_BYTES,
    MAX_SOUND_BYTES,
    WIRE_VERSION,
    Level,
    MessageCost,
    Profile,
    message_cost,
    unwrap_sequence,
)

__all__ = [
    "MAX_FRAMES",
    "MAX_KEYPOINTS",
    "MAX_MESSAGE_BYTES",
    "MAX_SOUND_BYTES",
    "MAX_SOURCE_BYTES",
    "RECORDING_VERSION",
    "SOURCE_MIMES",
    "WIRE_VERSION",
    "Acknowledgement",
    "ByteTables",
    "CodecError",
    "CodecTables",
    "ConnectionRecord",
    "ControlRecord",
    "Decoder",
    "Direction",
    "Encoder",
    "Level",
    "MediaMessage",
    "MediaRecord",
    "MessageCost",
    "MissingReference",
    "Motion",
    "MotionError",
    "PredictiveTables",
    "Profile",
    "Record",
    "RecordingError",
    "RecordingHeader",
    "RecordingReader",
    "RecordingWriter",
    "SourceRecord",
    "StatisticsRecord",
    "TablesError",
    "WireError",
    "message_cost",
    "unwrap_sequence",
]
