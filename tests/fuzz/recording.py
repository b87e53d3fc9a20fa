"""Any file: `RecordingReader` gives a header and messages, and stops at the end or with a RecordingError.

input: u8, bit 0: mend the checksums; then the file
"""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path
from typing import Final

from codec import RecordingError, RecordingReader
from codec.recording_records import MAX_RECEIVED_TIME_S, MediaRecord
from codec.wire import MAX_MESSAGE_BYTES
from tests.fuzz.control import check_words

VECTOR: Final = Path(__file__).parents[1] / "vectors" / "recording.fwr"
_HEADER_START: Final = 13
_CRC: Final = 4


def target(data: bytes) -> None:
    """Read a recording, twice."""
    content = mended(data[1:]) if data[:1] and data[0] & 1 else data[1:]
    with tempfile.NamedTemporaryFile(suffix=".fwr") as file:
        file.write(content)
        file.flush()
        try:
            reader = RecordingReader(Path(file.name))
        except RecordingError as error:
            check_words(error)
            return
        assert check_records(reader, content) == check_records(reader, content)


def check_records(reader: RecordingReader, content: bytes) -> tuple[int, str]:
    """How many records there are, and the words of the error behind them."""
    count = total = 0
    try:
        for record in reader:
            assert 0 <= record.time_s <= MAX_RECEIVED_TIME_S
            count += 1
            if isinstance(record, MediaRecord):
                assert 1 <= len(record.message) <= MAX_MESSAGE_BYTES
                total += len(record.message)
                assert total < len(content)
    except RecordingError as error:
        check_words(error)
        return count, str(error)
    return count, ""


def mended(content: bytes) -> bytes:
    """The same with right checksums, as far as lengths lead from one to the next."""
    mending = bytearray(content)
    length = int.from_bytes(content[9:_HEADER_START], "big")
    start, end = 0, _HEADER_START + length
    while end + _CRC <= len(mending):
        mending[end : end + _CRC] = zlib.crc32(mending[start:end]).to_bytes(_CRC, "big")
        start = end + _CRC
        length, place = 0, start + 1
        for place in range(start + 1, min(start + 5, len(mending))):
            length |= (mending[place] & 0x7F) << 7 * (place - start - 1)
            if mending[place] < 0x80:
                break
        end = place + 1 + length
    return bytes(mending)


def seeds() -> list[bytes]:
    """Inputs to begin with."""
    content = VECTOR.read_bytes()
    return [b"\0" + content, b"\1" + content]
