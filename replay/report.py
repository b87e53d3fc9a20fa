"""The figures of one call: what both programs counted, joined, and the same counted again from the recording."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from codec.codec_tables import CodecTables
from codec.decoder import Decoder, MediaMessage
from codec.errors import MissingReference
from codec.recording import RecordingReader
from replay.errors import DemoError
from replay.picture import PictureFigures

Counters = Mapping[str, Any]  # a program's own report, as it wrote it


@dataclass(frozen=True)
class RecordingFigures:
    """What a recording holds, counted from its messages alone."""

    messages: int
    frames: int
    payload_bytes: int
    source_bytes: int


def count_recording(path: Path, tables: CodecTables) -> RecordingFigures:
    """Count the messages of a recording and the frames in them. Raises CodecError when it is damaged."""
    decoder = Decoder(tables)
    recording = RecordingReader(path)
    messages = [message for _, message in recording.messages()]
    source_bytes = len(recording.source().picture)
    decoded = [one for message in messages for one in decode_all(decoder, message)]
    frames = sum(len(one.repeated) + len(one.motions) for one in decoded)
    return RecordingFigures(len(messages), frames, sum(map(len, messages)), source_bytes)


def decode_all(
    decoder: Decoder, message: bytes, hear: Callable[[MediaMessage], None] = lambda message: None
) -> list[MediaMessage]:
    """What a message says, with those before it that had to wait for it; nothing where it must wait itself.

    `hear` takes the message in any case, for its sound.
    """
    try:
        decoded = [decoder.decode(message), *decoder.unblocked()]
    except MissingReference as missing:
        hear(missing.message)
        return []
    hear(decoded[0])
    return decoded


def check_against_recording(receiver: Counters, recorded: RecordingFigures) -> None:
    """Hold the receiver's counters against its recording. Raises DemoError, naming both, where they differ."""
    counted = {
        "messages": receiver["messages_received"],
        "frames": receiver["frames_received"],
        "payload_bytes": receiver["payload_bytes"],
        "source_bytes": receiver["source_bytes"],
    }
    for name, value in asdict(recorded).items():
        if counted[name] != value:
            raise DemoError(f"expected the recording to hold what was counted, {counted[name]} {name}, it has {value}")


def join_reports(sender: Counters, receiver: Counters, media_s: float, picture: PictureFigures) -> dict[str, Any]:
    """Make report.json of both programs' counters.

    Rates are over `media_s`, the seconds of clip that were captured. Wire figures count every byte at the UDP socket
    with 28 more a packet for IP and UDP; `wire_kbps` begins with the first media message, and `wire_setup_bytes` is
    what came before it, once a call: connection, hello, source picture. None where they could not be counted.
    `stages_ms` is a frame; encode and decode were timed a message and are shared among its frames.
    """
    frames_received, sound_bytes = receiver["frames_received"], receiver.get("sound_bytes", 0)
    return {
        "media_s": round(media_s, 3),
        "frames": {
            "captured": sender["frames_captured"],
            "no_face": sender["frames_no_face"],
            "sent": sender["frames_sent"],
            "received": frames_received,
            "shown": receiver["frames_shown"],
            "dropped": {"sender": sender["frames_dropped"], "receiver": receiver["frames_dropped"]},
        },
        "payload_bytes": receiver["payload_bytes"],
        "payload_bytes_per_frame": round((receiver["payload_bytes"] - sound_bytes) / max(frames_received, 1), 2),
        "payload_kbps": _kbps(receiver["payload_bytes"], media_s),
        "sound_kbps": _kbps(sound_bytes, media_s),
        "sound_after_picture": receiver.get("sound_after_picture"),
        "source_bytes": receiver["source_bytes"],
        "wire_kbps": {
            "sender_to_receiver": _wire_kbps(sender, media_s),
            "receiver_to_sender": _wire_kbps(receiver, media_s),
        },
        "wire_setup_bytes": {
            "sender_to_receiver": sender["setup_wire_bytes_out"],
            "receiver_to_sender": receiver["setup_wire_bytes_out"],
        },
        "stages_ms": {
            "extract": sender["extract_ms"],
            "encode": _shared(sender["encode_ms"], sender["messages_sent"], sender["frames_sent"]),
            "decode": _shared(receiver["decode_ms"], receiver["messages_received"], frames_received),
            "render": receiver["render_ms"],
        },
        "picture": asdict(picture),
        "sender": dict(sender),
        "receiver": dict(receiver),
    }


def report_table(report: Mapping[str, Any]) -> Table:
    """Lay report.json out for a terminal of 80 columns."""
    table = Table(title="One call, on this machine", show_header=False, min_width=60)
    table.add_column(style="dim")
    table.add_column(justify="right")
    frames, wire, picture = report["frames"], report["wire_kbps"], report["picture"]
    table.add_row("frames captured / sent", f"{frames['captured']} / {frames['sent']}")
    table.add_row("frames received / shown", f"{frames['received']} / {frames['shown']}")
    dropped = frames["dropped"]
    table.add_row("dropped by sender / receiver", f"{dropped['sender']} / {dropped['receiver']}")
    table.add_row("without a face", f"{frames['no_face']}", end_section=True)
    table.add_row("payload a frame", f"{report['payload_bytes_per_frame']:.1f} B")
    table.add_row(f"payload of {frames['sent']} frames", f"{report['payload_kbps']:.1f} kbps")
    if report["sound_after_picture"]:
        table.add_row("of these, sound", f"{report['sound_kbps']:.1f} kbps")
        apart = report["sound_after_picture"]
        table.add_row("sound after its picture", f"{apart['least_ms']:.0f} to {apart['most_ms']:.0f} ms")
    table.add_row("wire, sender to receiver", f"{_number(wire['sender_to_receiver'], 1)} kbps")
    table.add_row("wire, receiver to sender", f"{_number(wire['receiver_to_sender'], 1)} kbps")
    table.add_row("source picture, once", f"{report['source_bytes']} B")
    setup = report["wire_setup_bytes"]
    both = " / ".join(_number(setup[way], 0) for way in ("sender_to_receiver", "receiver_to_sender"))
    table.add_row("wire set-up, there / back", f"{both} B", end_section=True)
    for stage, times in report["stages_ms"].items():
        p50, p95 = _number(times["p50"], 2), _number(times["p95"], 2)
        table.add_row(f"{stage} a frame, p50 / p95", f"{p50} / {p95} ms")
    table.add_section()
    repeat = picture["repeat_source"]
    table.add_row("PSNR (repeat the source)", f"{picture['psnr_db']:.2f} ({repeat['psnr_db']:.2f}) dB")
    table.add_row("SSIM (repeat the source)", f"{picture['ssim']:.3f} ({repeat['ssim']:.3f})")
    if picture["lpips"] is None:
        table.add_row("LPIPS", "not measured: no weights")
    else:
        table.add_row("LPIPS (repeat the source)", f"{picture['lpips']:.3f} ({repeat['lpips']:.3f})")
    return table


def _wire_kbps(program: Counters, seconds: float) -> float | None:
    total, setup = program["wire_bytes_out"], program["setup_wire_bytes_out"]
    return None if total is None or setup is None else _kbps(total - setup, seconds)


def _shared(a_message_ms: Mapping[str, float | None], messages: int, frames: int) -> dict[str, float | None]:
    """Milliseconds a message as milliseconds a frame, by the mean number of frames in a message."""
    share = messages / max(frames, 1)
    return {name: None if value is None else round(value * share, 3) for name, value in a_message_ms.items()}


def _kbps(count_bytes: int, seconds: float) -> float:
    return round(count_bytes * 8 / 1000 / seconds, 2)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
