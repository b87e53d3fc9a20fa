"""What a recording holds, in figures."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from codec.decoder import Decoder, MediaMessage
from codec.errors import CodecError
from codec.wire import Profile
from models.weights import Model
from replay.motions import open_recording
from replay.report import decode_all

FALLBACK_PERIOD_S = 0.04
"""How long the one frame of a recording stands."""


@dataclass(frozen=True)
class RecordingInfo:
    """Figures of one recording, up to its end or the first damaged place."""

    frames: int
    duration_s: float
    """From the first frame to the end of the last, which stands as long as the usual one."""
    messages: int
    media_bytes: int
    """All media messages, whole."""
    bytes_per_frame: float | None
    kbps: float | None
    """Of media messages, while it plays."""
    source_bytes: int
    file_bytes: int
    """Times of arrival and checksums are in it, too: 17 B a message."""
    profile: str | None
    level: str | None
    """Both of most messages with motion; `paper` has no level."""
    codings: dict[str, int]
    """Messages with motion of each profile and level."""
    keypoints: int
    unreadable: int
    """Messages that build on one which is not in the recording: it was lost on the wire."""
    model_id: str
    tables_sha256: str
    complete: bool
    """Whether whoever wrote it closed it."""
    damage: str | None
    """Where and why it ends early."""

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)


def read_info(path: Path, model: Model) -> RecordingInfo:
    """Count what a recording holds. Raises RecordingError, or ModelMismatch for another model's."""
    reader = open_recording(path, model)
    decoder = Decoder(model.codec_tables)
    times_s: set[float] = set()
    codings: Counter[tuple[str, str | None]] = Counter()
    messages, media_bytes, read, damage = 0, 0, 0, None
    try:
        for _, message in reader:
            decoded = decode_all(decoder, message)
            messages, media_bytes, read = messages + 1, media_bytes + len(message), read + len(decoded)
            times_s |= {motion.capture_time_s for one in decoded for motion in (*one.repeated, *one.motions)}
            codings.update(_coding(one) for one in decoded if one.motions)
    except CodecError as error:
        damage = str(error)
    duration_s = _duration_s(times_s)
    profile, level = codings.most_common(1)[0][0] if codings else (None, None)
    return RecordingInfo(
        frames=len(times_s),
        duration_s=round(duration_s, 3),
        messages=messages,
        media_bytes=media_bytes,
        bytes_per_frame=round(media_bytes / len(times_s), 2) if times_s else None,
        kbps=round(media_bytes * 8 / 1000 / duration_s, 2) if times_s else None,
        source_bytes=len(reader.header.source_image),
        file_bytes=path.stat().st_size,
        profile=profile,
        level=level,
        codings={_words(coding): count for coding, count in codings.most_common()},
        keypoints=model.config.keypoints,
        unreadable=messages - read,
        model_id=reader.header.model_id,
        tables_sha256=reader.header.tables_sha256,
        complete=reader.complete,
        damage=damage,
    )


def info_table(name: str, info: RecordingInfo) -> Table:
    """The figures for people."""
    table = Table(title=name, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    rate = f", {info.frames / info.duration_s:.2f} a second" if info.frames else ""
    table.add_row("frames", f"{info.frames}{rate}")
    table.add_row("duration", f"{info.duration_s:.2f} s", end_section=True)
    for coding, count in info.codings.items():
        table.add_row(coding, f"{count} messages with motion")
    table.add_row("motion", f"{info.media_bytes} B in {info.messages} messages")
    if info.bytes_per_frame is not None and info.kbps is not None:
        table.add_row("a frame; a second", f"{info.bytes_per_frame:.2f} B; {info.kbps:.2f} kbit")
    table.add_row("source picture, once", f"{info.source_bytes} B")
    table.add_row("file", f"{info.file_bytes} B", end_section=True)
    table.add_row("model", info.model_id[:12])
    if info.unreadable:
        table.add_row("messages that build on lost ones", str(info.unreadable))
    end = "closed" if info.complete else "not closed: its writer was stopped"
    table.add_row("end", "damaged" if info.damage else end)
    return table


def _coding(message: MediaMessage) -> tuple[str, str | None]:
    level = message.level.name.lower() if message.profile is Profile.PREDICTIVE else None
    return message.profile.name.lower(), level


def _words(coding: tuple[str, str | None]) -> str:
    return ", ".join(part for part in coding if part)


def _duration_s(times_s: set[float]) -> float:
    if not times_s:
        return 0.0
    steps = np.diff(sorted(times_s))
    return max(times_s) - min(times_s) + (float(np.median(steps)) if len(steps) else FALLBACK_PERIOD_S)
