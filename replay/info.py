"""What a recording holds, in figures."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from codec.recording_records import Direction
from models.weights import Model
from replay.motions import open_recording
from replay.recorded_call import Face, RecordedCall, read_call

FALLBACK_PERIOD_S = 0.04
"""How long the one frame of a recording stands."""


@dataclass(frozen=True)
class FaceInfo:
    """Figures of one direction."""

    frames: int
    duration_s: float
    """From the first frame to the end of the last, which stands as long as the usual one."""
    messages: int
    media_bytes: int
    """All media messages, whole."""
    sound_bytes: int
    """Of these, what is sound."""
    bytes_per_frame: float | None
    kbps: float | None
    """Of media messages, while it plays."""
    profile: str | None
    level: str | None
    """Both of most messages with motion; `paper` has no level."""
    codings: dict[str, int]
    """Messages with motion of each profile and level."""
    unreadable: int
    """Messages that build on one which is not in the recording: it was lost on the wire."""
    integers_sha256: str
    """Of the motion in integers: the same on every machine."""


@dataclass(frozen=True)
class RecordingInfo:
    """Figures of one recording, up to its end or the first damaged place."""

    shown: str
    """The direction that is shown: `received` or `sent`."""
    received: FaceInfo
    sent: FaceInfo
    end_s: float
    """Time of the last record."""
    connections: int
    sources: list[dict[str, Any]]
    control: dict[str, int]
    """Control messages by their type."""
    statistics: list[dict[str, Any]]
    """The link, each ten seconds."""
    file_bytes: int
    overhead: float | None
    """What the file has over its media messages and source pictures, as a share of them."""
    keypoints: int
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
    call = read_call(open_recording(path, model), model.codec_tables)
    received, sent = (face_info(call.faces[direction]) for direction in Direction)
    size = path.stat().st_size
    content = received.media_bytes + sent.media_bytes + sum(len(picture.picture) for picture in call.pictures)
    return RecordingInfo(
        shown=call.shown.name.lower(),
        received=received,
        sent=sent,
        end_s=round(call.end_s, 3),
        connections=len(call.connections),
        sources=[_source(call, index) for index in range(len(call.pictures))],
        control=dict(call.control.most_common()),
        statistics=[asdict(one) for one in call.statistics],
        file_bytes=size,
        overhead=round(size / content - 1, 4) if content else None,
        keypoints=model.config.keypoints,
        model_id=call.header.model_id,
        tables_sha256=call.header.tables_sha256,
        complete=call.complete,
        damage=call.damage,
    )


def face_info(face: Face) -> FaceInfo:
    """The figures of one direction."""
    frames, duration_s = len(face.frames), _duration_s([motion.capture_time_s for motion in face.motions])
    profile, level = face.codings.most_common(1)[0][0] if face.codings else (None, None)
    return FaceInfo(
        frames=frames,
        duration_s=round(duration_s, 3),
        messages=face.messages,
        media_bytes=face.media_bytes,
        sound_bytes=face.sound_bytes,
        bytes_per_frame=round(face.media_bytes / frames, 2) if frames else None,
        kbps=round(face.media_bytes * 8 / 1000 / duration_s, 2) if frames else None,
        profile=profile,
        level=level,
        codings={", ".join(filter(None, coding)): count for coding, count in face.codings.most_common()},
        unreadable=face.unreadable,
        integers_sha256=face.integers_sha256,
    )


def info_table(name: str, info: RecordingInfo) -> Table:
    """The figures for people."""
    table = Table(title=name, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for direction, face in (("received", info.received), ("sent", info.sent)):
        if face.messages:
            _face_rows(table, direction, face)
    for source in info.sources:
        table.add_row(f"source picture, {source['direction']}", f"{source['bytes']} B at {source['time_s']:.2f} s")
    if info.control:
        words = ", ".join(f"{count} {kind}" for kind, count in info.control.items())
        table.add_row("control messages", words)
    if info.connections > 1:
        table.add_row("connections", str(info.connections))
    over = "" if info.overhead is None else f", {100 * info.overhead:.1f} % over its messages and pictures"
    table.add_row("file", f"{info.file_bytes} B{over}", end_section=True)
    table.add_row("model", info.model_id[:12])
    end = "closed" if info.complete else "not closed: its writer was stopped"
    table.add_row("end", "damaged" if info.damage else f"{info.end_s:.2f} s, {end}")
    return table


def _face_rows(table: Table, direction: str, info: FaceInfo) -> None:
    rate = f", {info.frames / info.duration_s:.2f} a second" if info.frames else ""
    table.add_row(f"frames {direction}", f"{info.frames}{rate}")
    table.add_row("duration", f"{info.duration_s:.2f} s")
    for coding, count in info.codings.items():
        table.add_row(coding, f"{count} messages with motion")
    sound = f", {info.sound_bytes} B of it sound" if info.sound_bytes else ""
    table.add_row("media", f"{info.media_bytes} B in {info.messages} messages{sound}")
    if info.bytes_per_frame is not None and info.kbps is not None:
        table.add_row("a frame; a second", f"{info.bytes_per_frame:.2f} B; {info.kbps:.2f} kbit")
    if info.unreadable:
        table.add_row("messages that build on lost ones", str(info.unreadable))
    table.add_section()


def _source(call: RecordedCall, index: int) -> dict[str, Any]:
    one = call.pictures[index]
    about = {"direction": one.direction.name.lower(), "time_s": one.time_s, "mime": one.mime}
    return about | {"bytes": len(one.picture), "sha256": one.sha256}


def _duration_s(times_s: list[float]) -> float:
    if not times_s:
        return 0.0
    steps = np.diff(times_s)
    return times_s[-1] - times_s[0] + (float(np.median(steps)) if len(steps) else FALLBACK_PERIOD_S)
