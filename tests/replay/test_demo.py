"""The demo whole, with three real programs and a tiny model; its figures counted again from the recording."""

import json
from pathlib import Path

import pytest

import facewire
from codec.decoder import Decoder
from codec.recording import RecordingReader
from codec.sound import SAMPLE_RATE
from replay.demo import cut_clip, run_demo
from replay.errors import DemoError
from replay.pairs import shown_frames
from tests.receiver.sounds import beeps, onsets_s, sound_of
from tests.replay.tiny import save_tiny
from tests.sender.clips import make_clip
from tests.sender.test_voice import sounding_clip

FRAMES = 30


@pytest.mark.slow
@pytest.mark.network
def test_report_is_what_the_recording_holds(tmp_path: Path) -> None:
    model = save_tiny(tmp_path / "weights")
    clip = make_clip(tmp_path / "clip.mp4", frames=FRAMES, size=(96, 64))
    run_demo(clip, tmp_path / "demo", None, tmp_path / "weights")
    report = json.loads((tmp_path / "demo" / "report.json").read_text())

    recording = RecordingReader(tmp_path / "demo" / "call.fwr")
    messages = [message for _, message in recording.messages()]
    decoder = Decoder(model.codec_tables)
    motions = [motion for message in messages for motion in decoder.decode(message).motions]
    payload = sum(len(message) for message in messages)
    assert recording.complete
    assert recording.header.model_id == report["model_id"] == model.model_id
    assert report["source_bytes"] == len(recording.source().picture)
    assert report["payload_bytes"] == report["sender"]["payload_bytes"] == payload
    assert report["frames"]["received"] == report["frames"]["sent"] == len(motions)
    assert report["payload_bytes_per_frame"] == pytest.approx(payload / len(motions), abs=0.01)
    assert report["payload_kbps"] == pytest.approx(payload * 8 / 1000 / (FRAMES / 25), abs=0.01)
    assert report["receiver"]["messages_received"] == len(messages)

    # Every byte counted: a media message is only part of what it costs.
    assert report["sender"]["wire_bytes_out"] - report["sender"]["setup_wire_bytes_out"] > payload
    assert report["wire_setup_bytes"]["sender_to_receiver"] > report["source_bytes"]
    frames = report["frames"]
    assert frames["captured"] == FRAMES == frames["sent"] + frames["dropped"]["sender"] + frames["no_face"]

    shown = [frame.capture_time_s for frame in shown_frames(tmp_path / "demo" / "received.mp4")]
    assert shown == pytest.approx(sorted(motion.capture_time_s for motion in motions), abs=1e-3)
    assert report["picture"]["frames"] == len(shown) == frames["shown"]
    assert len(list(shown_frames(tmp_path / "demo" / "side_by_side.mp4"))) == FRAMES


def test_input_that_is_none_starts_no_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_tiny(tmp_path / "weights")
    where = ["--out", str(tmp_path / "demo"), "--weights", str(tmp_path / "weights")]
    assert facewire.run(["demo", "--input", str(tmp_path / "none.mp4"), *where]) == 1
    assert capsys.readouterr().err.startswith(f"facewire: {tmp_path / 'none.mp4'}: expected a video file")
    assert not (tmp_path / "demo").exists()


def test_cut_clip_keeps_the_sound(tmp_path: Path) -> None:
    clip = sounding_clip(tmp_path / "clip.mp4", beeps(3.0, [0.5, 2.0]))
    cut = cut_clip(clip, tmp_path / "cut.mp4", 1.0)
    assert onsets_s(sound_of(cut)) == pytest.approx([0.5], abs=0.03)
    assert len(sound_of(cut)) / SAMPLE_RATE == pytest.approx(1.0, abs=0.05)


def test_cut_clip_is_a_prefix(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=50)
    cut = cut_clip(clip, tmp_path / "cut.mp4", 1.0)
    whole, part = list(shown_frames(clip)), list(shown_frames(cut))
    assert len(part) == 25
    assert all((one.image == other.image).all() for one, other in zip(part, whole, strict=False))


@pytest.mark.slow
@pytest.mark.network
def test_program_that_fails_is_quoted_and_leaves_no_other(tmp_path: Path) -> None:
    """A clip of one frame is found out only when it is played."""
    save_tiny(tmp_path / "weights")
    clip = make_clip(tmp_path / "clip.mp4", frames=1)
    with pytest.raises(DemoError, match=r"`facewire send` ended with exit code 1; .*expected a video of at least"):
        run_demo(clip, tmp_path / "demo", None, tmp_path / "weights")
    assert not any(str(tmp_path) in command for command in running_commands())


def running_commands() -> list[str]:
    """Command lines of every process of this machine that can be seen."""
    paths = Path("/proc").glob("[0-9]*/cmdline")
    return [text.replace("\0", " ") for path in paths if (text := _read(path))]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""
