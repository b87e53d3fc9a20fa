"""A recording rendered again: as many frames, the same times, the same pictures, and what is good of a damaged one."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import facewire
from codec.encoder import Encoder
from codec.errors import RecordingError
from codec.motion import Motion
from codec.recording import RecordingWriter
from codec.recording_header import RecordingHeader
from codec.recording_records import Direction, SourceRecord
from codec.sound import SoundPacket, pack_sound
from models.weights import Model
from receiver.errors import OutputError
from receiver.render import FaceRenderer
from replay.decompress import decompress_recording
from replay.errors import DamagedRecording, ModelMismatch
from replay.motions import open_recording
from replay.pairs import shown_frames
from replay.recorded_call import read_call
from sender.source import decode_picture, encode_picture
from sender.voice import Voice
from tests.receiver.sounds import beeps, onsets_s, sound_of
from tests.replay.tiny import save_tiny

RATE = 25


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


def source(model: Model) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Soft coloured patches, which picture coding leaves alone."""
    patches = np.random.default_rng(5).integers(0, 255, (4, 4, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(patches, (model.config.size,) * 2, interpolation=cv2.INTER_CUBIC), np.uint8)


def motion(model: Model, index: int) -> Motion:
    random = np.random.default_rng(index)
    return Motion.from_vector(random.normal(0, 0.1, 3 * model.config.keypoints + 6), index / RATE)


def record(
    path: Path, model: Model, messages: list[list[Motion]], order: list[int] | None = None, each_s: float = 0.1
) -> None:
    """Record a call of these messages, arriving in another order where one is given."""
    tables = model.codec_tables
    encoder = Encoder(tables)
    encoded = [encoder.encode(motions) for motions in messages]
    header = RecordingHeader(model.model_id, tables.sha256)
    with RecordingWriter(path, header) as writer:
        writer.add(SourceRecord(0.0, Direction.RECEIVED, encode_picture(source(model), 90), "image/webp"))
        for place, index in enumerate(order or range(len(encoded))):
            writer.write(place * each_s, encoded[index])


def pairs_of_frames(model: Model, messages: int) -> list[list[Motion]]:
    return [[motion(model, 2 * index), motion(model, 2 * index + 1)] for index in range(messages)]


def test_every_frame_received_at_its_capture_time(tmp_path: Path, model: Model) -> None:
    messages = pairs_of_frames(model, 6)
    del messages[3]  # lost on the wire: a gap in time
    record(tmp_path / "call.fwr", model, messages)
    assert decompress_recording(tmp_path / "call.fwr", tmp_path / "out.mp4", model) == 10
    times = [frame.capture_time_s for frame in shown_frames(tmp_path / "out.mp4")]
    expected = [one.capture_time_s for message in messages for one in message]
    assert times == pytest.approx(expected, abs=1e-3)


def test_pictures_are_the_receivers(tmp_path: Path, model: Model) -> None:
    record(tmp_path / "call.fwr", model, [[motion(model, 0)]])
    decompress_recording(tmp_path / "call.fwr", tmp_path / "out.mp4", model)
    (shown,) = shown_frames(tmp_path / "out.mp4")
    renderer = FaceRenderer(model)
    renderer.set_source_now(decode_picture(encode_picture(source(model), 90)).copy())
    far = [np.abs(shown.image - renderer.render_now(motion(model, index)).astype(float)).mean() for index in (0, 1)]
    renderer.close()
    assert far[0] < 8  # fp16 and H.264 lie between
    assert far[1] > 2 * far[0]  # another motion is another picture


def test_messages_that_overtook_are_put_in_order(tmp_path: Path, model: Model) -> None:
    messages = pairs_of_frames(model, 4)
    record(tmp_path / "straight.fwr", model, messages)
    record(tmp_path / "mixed.fwr", model, messages, order=[1, 0, 3, 2, 2])
    for name in ("straight", "mixed"):
        assert decompress_recording(tmp_path / f"{name}.fwr", tmp_path / f"{name}.mp4", model) == 8
    assert (tmp_path / "straight.mp4").read_bytes() == (tmp_path / "mixed.mp4").read_bytes()


def test_cut_recording_gives_what_is_before_the_cut(tmp_path: Path, model: Model) -> None:
    record(tmp_path / "call.fwr", model, pairs_of_frames(model, 6), each_s=1.5)
    whole = (tmp_path / "call.fwr").read_bytes()
    (tmp_path / "cut.fwr").write_bytes(whole[: len(whole) * 4 // 5])
    with pytest.raises(DamagedRecording, match=r"cut off at byte \d+.*; the \d+ frames before that are in") as caught:
        decompress_recording(tmp_path / "cut.fwr", tmp_path / "out.mp4", model)
    frames = len(list(shown_frames(tmp_path / "out.mp4")))
    assert 0 < frames < 12
    assert f"the {frames} frames" in str(caught.value)


def test_recording_without_a_frame(tmp_path: Path, model: Model) -> None:
    record(tmp_path / "call.fwr", model, [])
    with pytest.raises(DamagedRecording, match="ends before the first frame"):
        decompress_recording(tmp_path / "call.fwr", tmp_path / "out.mp4", model)
    assert not (tmp_path / "out.mp4").exists()


def test_other_weights_are_refused(tmp_path: Path, model: Model) -> None:
    other = save_tiny(tmp_path / "other", seed=1)
    record(tmp_path / "call.fwr", model, pairs_of_frames(model, 1))
    with pytest.raises(ModelMismatch, match=f"{other.model_id[:12]}.*{model.model_id[:12]}.*--weights"):
        decompress_recording(tmp_path / "call.fwr", tmp_path / "out.mp4", other)


def test_file_that_is_no_recording(tmp_path: Path, model: Model) -> None:
    (tmp_path / "call.fwr").write_bytes(b"something else")
    with pytest.raises(RecordingError, match="expected a facewire recording"):
        decompress_recording(tmp_path / "call.fwr", tmp_path / "out.mp4", model)


def test_output_is_checked_before_anything_is_read(tmp_path: Path, model: Model) -> None:
    with pytest.raises(OutputError, match="expected a name that ends in"):
        decompress_recording(tmp_path / "none.fwr", tmp_path / "out.txt", model)


def test_view_and_size_are_the_viewers(tmp_path: Path, model: Model) -> None:
    record(tmp_path / "call.fwr", model, pairs_of_frames(model, 1))
    weights = ["--weights", str(model.folder)]
    command = ["decompress", str(tmp_path / "call.fwr")]
    assert facewire.run([*command, str(tmp_path / "plain.mp4"), *weights]) == 0
    assert facewire.run([*command, str(tmp_path / "turned.mp4"), "--view", "-15,5", "--frontalise", *weights]) == 0
    assert facewire.run([*command, str(tmp_path / "large.mp4"), "--size", "128", *weights]) == 0
    plain, turned, large = (next(shown_frames(tmp_path / f"{name}.mp4")) for name in ("plain", "turned", "large"))
    assert plain.image.shape == (64, 64, 3)
    assert large.image.shape == (128, 128, 3)
    assert np.abs(plain.image.astype(int) - turned.image).mean() > 2
    assert facewire.run([*command, str(tmp_path / "none.mp4"), "--view", "far", *weights]) == 1


def test_sound_is_written_at_its_time_also_where_motion_must_wait(tmp_path: Path, model: Model) -> None:
    tables, path = model.codec_tables, tmp_path / "call.fwr"
    encoder, voice = Encoder(tables), Voice()
    packets = voice.take(beeps(1.8, [0.3, 1.2]), 0.0)
    with RecordingWriter(path, RecordingHeader(model.model_id, tables.sha256)) as writer:
        writer.add(SourceRecord(0.0, Direction.RECEIVED, encode_picture(source(model), 90), "image/webp"))
        for index in range(round(1.8 / 0.08)):
            due = [SoundPacket(round(1000 * at_s), opus) for at_s, opus in packets if index <= at_s / 0.08 < index + 1]
            motions = [motion(model, 2 * index), motion(model, 2 * index + 1)]
            message = encoder.encode(motions, sound=pack_sound(due))
            if index != 12:  # lost on the wire: what follows builds on it, and cannot be read until a new start
                writer.write(index * 0.08, message)
    assert decompress_recording(path, tmp_path / "out.mp4", model) == 24
    sound = sound_of(tmp_path / "out.mp4")
    assert onsets_s(sound)[0] == pytest.approx(0.3, abs=0.02)
    recorded = read_call(open_recording(path, model), tables).faces[Direction.RECEIVED]
    assert len(recorded.motions) == 24
    assert recorded.sounds[-1].time_ms >= 1200, "the words behind the loss are there, though nobody is seen to say them"


def test_recording_without_sound_makes_a_silent_film(tmp_path: Path, model: Model) -> None:
    record(tmp_path / "call.fwr", model, pairs_of_frames(model, 2))
    decompress_recording(tmp_path / "call.fwr", tmp_path / "out.mp4", model)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio
