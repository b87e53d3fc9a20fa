"""The start of a recording: which model, which tables. FORMAT.md has the field table."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from codec.errors import RecordingError

RECORDING_VERSION: Final = 3

# As PNG: not text, and a transfer that changes line ends, cuts the top bit or stops at ^Z shows here.
_MAGIC: Final = b"\x89FWR\r\n\x1a\n"
_HEX64: Final = re.compile(r"[0-9a-f]{64}")
_MODEL_ID: Final = re.compile(r"[!-~]{1,64}")
_FIXED_BYTES: Final = 13  # magic 8, version 1, length of the rest 4
_CRC_BYTES: Final = 4
_MAX_REST_BYTES: Final = 1 + 64 + 32


@dataclass(frozen=True)
class RecordingHeader:
    """What a player must have before the first message.

    model_id: 1 to 64 printable ASCII characters without blanks. tables_sha256: 64 hex digits, `CodecTables.sha256`.
    Raises RecordingError for anything else.
    """

    model_id: str
    tables_sha256: str

    def __post_init__(self) -> None:
        if not _MODEL_ID.fullmatch(self.model_id):
            raise RecordingError(f"expected a model id of 1 to 64 ASCII characters, got {self.model_id[:80]!r}")
        if not _HEX64.fullmatch(self.tables_sha256):
            raise RecordingError(f"expected the tables' SHA-256 as 64 hex digits, got {self.tables_sha256[:80]!r}")


def write_header(header: RecordingHeader) -> bytes:
    """The header's bytes, with its checksum."""
    model_id = header.model_id.encode("ascii")
    rest = bytes((len(model_id),)) + model_id + bytes.fromhex(header.tables_sha256)
    start = _MAGIC + bytes((RECORDING_VERSION,)) + len(rest).to_bytes(4, "big")
    return start + rest + zlib.crc32(start + rest).to_bytes(_CRC_BYTES, "big")


def read_header(file: BinaryIO) -> RecordingHeader:
    """Read the header from the start of a file and leave the file behind it. RecordingError when there is none."""
    start = file.read(_FIXED_BYTES)
    _check_start(start)
    length = int.from_bytes(start[9:], "big")
    if length > _MAX_REST_BYTES:
        raise RecordingError(f"expected a recording's header of at most {_MAX_REST_BYTES} bytes, got {length}")
    rest = file.read(length + _CRC_BYTES)
    if len(rest) != length + _CRC_BYTES:
        raise RecordingError("expected a recording's header, the file ends inside it")
    body = rest[:length]
    if zlib.crc32(start + body) != int.from_bytes(rest[length:], "big"):
        raise RecordingError("the recording's header does not match its checksum")
    # A checksum says that the fields came whole, not who wrote them: `RecordingHeader` looks at their values.
    end = 1 + int.from_bytes(body[:1], "big")
    return RecordingHeader(body[1:end].decode("ascii", errors="replace"), body[end:].hex())


def _check_start(start: bytes) -> None:
    if start[:8] != _MAGIC:
        raise RecordingError(
            f"expected a facewire recording (.fwr), got a file that starts with {start[:8].hex(' ')!r}"
        )
    if len(start) < _FIXED_BYTES:
        raise RecordingError("expected a recording's header, the file ends inside it")
    if start[8] != RECORDING_VERSION:
        newer = ": a newer facewire wrote it" if start[8] > RECORDING_VERSION else ""
        raise RecordingError(f"expected recording version {RECORDING_VERSION}, got version {start[8]}{newer}")
