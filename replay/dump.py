"""What a recording holds, record by record; and what recordings a folder holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codec.codec_tables import CodecTables
from codec.decoder import Decoder, MediaMessage
from codec.errors import CodecError, MissingReference, RecordingError, WireError
from codec.motion import Motion
from codec.recording import RecordingReader
from codec.recording_records import (
    ConnectionRecord,
    ControlRecord,
    Direction,
    MediaRecord,
    Record,
    SourceRecord,
    StatisticsRecord,
)
from replay.errors import ClipError


def dump(reader: RecordingReader, tables: CodecTables, with_bytes: bool = False) -> Iterator[dict[str, Any]]:
    """Yield each record as plain values; messages decoded. Raises RecordingError at the first damaged place.

    with_bytes: messages in hexadecimal as well.
    """
    decoders = {direction: Decoder(tables) for direction in Direction}
    for record in reader:
        about: dict[str, Any] = {"time_s": record.time_s, "kind": _KINDS[type(record)]}
        if isinstance(record, ConnectionRecord):
            decoders = {direction: Decoder(tables) for direction in Direction}
            about["clock_s"] = record.clock_s
        elif isinstance(record, StatisticsRecord):
            about |= {name: value for name, value in vars(record).items() if name != "time_s"}
        else:
            about["direction"] = record.direction.name.lower()
            about |= _content(record, decoders[record.direction])
            if with_bytes and isinstance(record, MediaRecord):
                about["message"] = record.message.hex()
        yield about


_KINDS: dict[type[Record], str] = {
    MediaRecord: "media",
    SourceRecord: "source",
    ControlRecord: "control",
    StatisticsRecord: "statistics",
    ConnectionRecord: "connection",
}


def _content(record: MediaRecord | SourceRecord | ControlRecord, decoder: Decoder) -> dict[str, Any]:
    match record:
        case MediaRecord():
            return {"bytes": len(record.message)} | _said(record.message, decoder)
        case SourceRecord():
            return {"bytes": len(record.picture), "mime": record.mime, "sha256": record.sha256}
        case ControlRecord():
            return {"text": record.text}


def _said(message: bytes, decoder: Decoder) -> dict[str, Any]:
    try:
        said, late = decoder.decode(message), decoder.unblocked()
    except MissingReference as missing:
        return _message(missing.message) | {"unreadable": str(missing)}
    except WireError as error:
        return {"unreadable": str(error)}
    about = _message(said)
    if late:
        about["unblocked"] = [_message(one) for one in late]
    return about


def _message(message: MediaMessage) -> dict[str, Any]:
    about: dict[str, Any] = {"sequence": message.sequence}
    if message.motions or message.repeated:
        about |= {"profile": message.profile.name.lower(), "level": message.level.name.lower()}
        about["repeated"] = [_motion(motion) for motion in message.repeated]
        about["frames"] = [_motion(motion) for motion in message.motions]
        integers = [{"time_ms": frame.time_ms, "integers": frame.integers} for frame in message.frames]
        about |= {"coded": integers} if integers else {}
    if message.acknowledgement is not None:
        said = message.acknowledgement
        about["acknowledges"] = {"newest": said.newest, "received": said.received, "lacking": said.lacking}
    if message.sound:
        about["sound_bytes"] = len(message.sound)
    return about


def _motion(motion: Motion) -> dict[str, Any]:
    angles = {name: round(getattr(motion, f"{name}_deg"), 3) for name in ("yaw", "pitch", "roll")}
    return {"capture_time_s": round(motion.capture_time_s, 3)} | angles | {"t": [round(float(x), 4) for x in motion.t]}


def line(about: dict[str, Any]) -> str:
    """One record for people."""
    way = {"received": "<-", "sent": "->"}.get(about.get("direction", ""), "  ")
    return f"{about['time_s']:10.3f} s {way} {about['kind']:<10} {_words(about)}".rstrip()


def _words(about: dict[str, Any]) -> str:
    match about["kind"]:
        case "media":
            parts = [f"{about['bytes']} B"]
            if "sequence" in about:
                parts.append(f"number {about['sequence']}")
            for name, word in (("frames", "frames"), ("repeated", "repeated")):
                parts += [f"{len(about[name])} {word}"] if about.get(name) else []
            parts += [f"sound {about['sound_bytes']} B"] if "sound_bytes" in about else []
            parts += [f"acknowledges {about['acknowledges']['newest']}"] if "acknowledges" in about else []
            parts += [f"unreadable: {about['unreadable']}"] if "unreadable" in about else []
            return ", ".join(parts)
        case "source":
            return f"{about['bytes']} B, {about['mime']}, {about['sha256'][:12]}"
        case "control":
            return " ".join(str(about["text"]).split())
        case "connection":
            return f"capture time 0 is at {about['clock_s']:.3f} s"
        case _:
            names = ("sent_bytes", "received_bytes", "loss_received", "loss_sent", "round_trip_s", "playout_delay_s")
            return ", ".join(f"{name} {about[name]}" for name in names if about[name] is not None)


@dataclass(frozen=True)
class Listed:
    """One recording of a folder, without looking into its messages."""

    name: str
    seconds: float
    received: int
    """Media messages."""
    sent: int
    pictures: int
    file_bytes: int
    model_id: str
    end: str
    """closed, not closed, or what is wrong with it."""


def list_folder(folder: Path) -> list[Listed]:
    """The recordings of a folder by name. Raises ClipError for what is no folder; a damaged recording says so."""
    if not folder.is_dir():
        raise ClipError(f"{folder}: expected a folder of recordings, found none")
    return [_listed(path) for path in sorted(folder.glob("*.fwr"))]


def _listed(path: Path) -> Listed:
    size = path.stat().st_size
    try:
        reader = RecordingReader(path)
    except RecordingError as error:
        return Listed(path.name, 0.0, 0, 0, 0, size, "", str(error))
    end_s, counts, pictures, end = 0.0, dict.fromkeys(Direction, 0), 0, ""
    try:
        for record in reader:
            end_s = max(end_s, record.time_s)
            if isinstance(record, MediaRecord):
                counts[record.direction] += 1
            pictures += isinstance(record, SourceRecord)
        end = "closed" if reader.complete else "not closed: its writer was stopped"
    except CodecError as error:
        end = str(error)
    received, sent = (counts[direction] for direction in Direction)
    return Listed(path.name, round(end_s, 3), received, sent, pictures, size, reader.header.model_id, end)
