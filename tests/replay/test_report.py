"""report.json: its byte and frame numbers are those of the recording, and its rates are worked out from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from codec.codec_tables import CodecTables
from codec.encoder import Encoder
from codec.motion import Motion
from codec.recording import RecordingWriter
from codec.recording_header import RecordingHeader
from codec.recording_records import Direction, SourceRecord
from replay.errors import DemoError
from replay.picture import Likeness, PictureFigures
from replay.report import RecordingFigures, check_against_recording, count_recording, join_reports, report_table

K = 4
TABLES = CodecTables.default(K)
SOURCE = b"a picture"
FIGURES = PictureFigures(24.5, 0.81, None, 100, Likeness(20.25, 0.7, None))
STAGE = {"p50": 1.25, "p95": 2.5}


def write_recording(path: Path, messages: int, frames_each: int) -> list[bytes]:
    encoder, written = Encoder(TABLES), []
    header = RecordingHeader("model", TABLES.sha256)
    with RecordingWriter(path, header) as recording:
        recording.add(SourceRecord(0.0, Direction.RECEIVED, SOURCE, "image/webp"))
        for index in range(messages):
            times = ((index * frames_each + frame) / 25 for frame in range(frames_each))
            written.append(encoder.encode([Motion.from_vector(np.arange(3.0 * K + 6) / 9, at) for at in times]))
            recording.write(index / 10, written[-1])
    return written


def counters(messages: list[bytes], frames: int) -> tuple[dict[str, Any], dict[str, Any]]:
    wire = {"wire_bytes_in": 4000, "wire_packets_in": 40, "wire_packets_out": 60}
    sender = {
        "frames_captured": 100,
        "frames_no_face": 1,
        "frames_sent": 98,
        "messages_sent": 49,
        "frames_dropped": 1,
        "extract_ms": STAGE,
        "encode_ms": STAGE,
        "wire_bytes_out": 70_000,
        "setup_wire_bytes_out": 20_000,
        **wire,
    }
    receiver = {
        "messages_received": len(messages),
        "frames_received": frames,
        "frames_shown": frames - 2,
        "frames_dropped": 2,
        "payload_bytes": sum(map(len, messages)),
        "source_bytes": len(SOURCE),
        "decode_ms": STAGE,
        "render_ms": {"p50": None, "p95": None},
        "wire_bytes_out": 28_000,
        "setup_wire_bytes_out": 3_000,
        **wire,
    }
    return sender, receiver


def test_recording_is_counted_from_its_messages(tmp_path: Path) -> None:
    messages = write_recording(tmp_path / "call.fwr", 7, 3)
    expected = RecordingFigures(7, 21, sum(map(len, messages)), len(SOURCE))
    assert count_recording(tmp_path / "call.fwr", TABLES) == expected


@pytest.mark.parametrize("counter", ["messages_received", "frames_received", "payload_bytes", "source_bytes"])
def test_a_counter_that_differs_from_the_recording_is_an_error(counter: str, tmp_path: Path) -> None:
    messages = write_recording(tmp_path / "call.fwr", 3, 2)
    _, receiver = counters(messages, 6)
    recorded = count_recording(tmp_path / "call.fwr", TABLES)
    check_against_recording(receiver, recorded)
    receiver[counter] += 1
    with pytest.raises(DemoError, match=str(receiver[counter])):
        check_against_recording(receiver, recorded)


def test_rates_are_over_the_clips_own_time() -> None:
    sender, receiver = counters([bytes(1000)] * 50, 98)
    report = join_reports(sender, receiver, 4.0, FIGURES)
    assert report["media_s"] == 4.0
    assert report["payload_bytes"] == 50_000
    assert report["payload_kbps"] == 100.0
    assert report["payload_bytes_per_frame"] == pytest.approx(50_000 / 98, abs=0.01)
    assert report["wire_kbps"] == {"sender_to_receiver": 100.0, "receiver_to_sender": 50.0}
    assert report["wire_setup_bytes"] == {"sender_to_receiver": 20_000, "receiver_to_sender": 3_000}
    assert report["frames"]["dropped"] == {"sender": 1, "receiver": 2}
    assert report["stages_ms"]["extract"] == {"p50": 1.25, "p95": 2.5}
    assert report["stages_ms"]["encode"] == {"p50": 0.625, "p95": 1.25}  # two frames a message
    assert report["picture"]["repeat_source"]["psnr_db"] == 20.25


def test_table_has_every_figure_and_fits_80_columns() -> None:
    sender, receiver = counters([bytes(1000)] * 50, 98)
    console = Console(width=80)
    with console.capture() as capture:
        console.print(report_table(join_reports(sender, receiver, 4.0, FIGURES)))
    text = capture.get()
    for figure in (
        "100 / 98",
        "98 / 96",
        "1 / 2",
        "100.0 kbps",
        "50.0 kbps",
        "1.25 / 2.50 ms",
        "- / - ms",
        "24.50 (20.25)",
    ):
        assert figure in text
    assert "not measured" in text
    assert "…" not in text


def test_wire_that_was_not_counted_is_none() -> None:
    sender, receiver = counters([bytes(1000)] * 50, 98)
    sender["wire_bytes_out"] = sender["setup_wire_bytes_out"] = None
    report = join_reports(sender, receiver, 4.0, FIGURES)
    assert report["wire_kbps"] == {"sender_to_receiver": None, "receiver_to_sender": 50.0}
    console = Console(width=80)
    with console.capture() as capture:
        console.print(report_table(report))
    assert "- kbps" in capture.get()
