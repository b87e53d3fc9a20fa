"""The start of a recording: which model, which tables, which face. FORMAT.md has the field table."""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from codec.errors import RecordingError

RECORDING_VERSION: Final = 2
MAX_SOURCE_BYTES: Final = 4 << 20  # a 256 px WebP is 10 to 20 kB, a 512 px PNG under 1 MB
SOURCE_MIMES: Final = ("image/webp", "image/jpeg", "image/png", "image/avif")

# As PNG: not text, and a transfer that changes line ends, cuts the top bit or stops at ^Z shows here.
_MAGIC: Final = b"\x89FWR\r\n\x1a\n"
_HEX64: Final = re.compile(r"[0-9a-f]{64}")
_MODEL_ID: Final = re.compile(r"[!-~]{1,64}")
_FIXED_BYTES: Final = 13  # magic 8, version 1, length of the rest 4
_CRC_BYTES: Final = 4
_MAX_REST_BYTES: Final = 1 + 64 + 32 + 1 + max(map(len, SOURCE_MIMES)) + 32 + MAX_SOURCE_BYTES


@dataclass(frozen=True)
class RecordingHeader:
    """What a player must have or be given before the first message.

    model_id: 1 to 64 printable ASCII characters without blanks. tables_sha256: 64 hex digits, `CodecTables.sha256`.
    source_image: the source image's file bytes as sent, 1 byte to 4 MiB; source_mime: image/webp, image/jpeg,
    image/png or image/avif. Raises RecordingError for anything else.
    """

    model_id: str
    tables_sha256: str
    source_image: bytes
    source_mime: str

    def __post_init__(self) -> None:
        if not _MODEL_ID.fullmatch(self.model_id):
            raise RecordingError(f"expected a model id of 1 to 64 ASCII characters, got {self.model_id[:80]!r}")
        if not _HEX64.fullmatch(self.tables_sha256):
            raise RecordingError(f"expected the tables' SHA-256 as 64 hex digits, got {self.tables_sha256[:80]!r}")
        if self.source_mime not in SOURCE_MIMES:
            raise RecordingError(f"expected one of {', '.join(SOURCE_MIMES)}, got {self.source_mime[:80]!r}")
        if not 1 <= len(self.source_image) <= MAX_SOURCE_BYTES:
            size = len(self.source_image)
            raise RecordingError(f"expected a source image of 1 to {MAX_SOURCE_BYTES} bytes, got {size}")

    @property
    def source_sha256(self) -> str:
        """SHA-256 of the source image's bytes, in hex."""
        return hashlib.sha256(self.source_image).hexdigest()


def write_header(header: RecordingHeader) -> bytes:
    """The header's bytes, with its checksum."""
    rest = b"".join(
        (
            _text(header.model_id),
            bytes.fromhex(header.tables_sha256),
            _text(header.source_mime),
            bytes.fromhex(header.source_sha256),
            header.source_image,
        )
    )
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
    return _parse(body)


def _check_start(start: bytes) -> None:
    if start[:8] != _MAGIC:
        raise RecordingError(
            f"expected a facewire recording (.fwr), got a file that starts with {start[:8].hex(' ')!r}"
        )
    if len(start) < _FIXED_BYTES:
        raise RecordingError("expected a recording's header, the file ends inside it")
    if start[8] != RECORDING_VERSION:
        raise RecordingError(f"expected recording version {RECORDING_VERSION}, got version {start[8]}")


def _parse(body: bytes) -> RecordingHeader:
    """The checksummed fields. They can still be wrong: a checksum says that they came whole, not who wrote them."""
    model_id, offset = _read_text(body, 0)
    tables_sha256, offset = body[offset : offset + 32].hex(), offset + 32
    source_mime, offset = _read_text(body, offset)
    source_sha256, source_image = body[offset : offset + 32].hex(), body[offset + 32 :]
    header = RecordingHeader(model_id, tables_sha256, source_image, source_mime)
    if header.source_sha256 != source_sha256:
        raise RecordingError("the recording's source image does not match its SHA-256")
    return header


def _text(text: str) -> bytes:
    return bytes((len(text),)) + text.encode("ascii")


def _read_text(body: bytes, offset: int) -> tuple[str, int]:
    """A length byte and that many ASCII characters; bytes that are none become U+FFFD and are refused as values."""
    end = offset + 1 + int.from_bytes(body[offset : offset + 1], "big")
    return body[offset + 1 : end].decode("ascii", errors="replace"), end
