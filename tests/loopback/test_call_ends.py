"""Calls that end badly: one line that says what was expected and what came, on both sides, and whole files."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from codec.errors import RecordingError
from codec.recording import RecordingReader
from models.weights import Model, build_model, load_model, save_model
from receiver.errors import NothingCame, OutputError
from sender.errors import InputError, NoFace
from signaling.client import SignalingClient
from signaling.errors import CallRefused, Mismatch, NobodyCame, PeerGone, Refusal, ServerUnreachable
from signaling.messages import PeerJoined
from tests.loopback.bad_network import BadNetwork
from tests.loopback.calls import Call, video_times_s
from tests.sender.clips import make_clip

pytestmark = pytest.mark.network


def one_line(error: BaseException | None) -> str:
    """The words of an error, which must be one line."""
    assert error is not None
    words = str(error)
    assert words
    assert "\n" not in words
    return words


async def test_nobody_comes(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny, send_settings={"wait_s": 0.1}, receive_settings={"wait_s": 0.1})
    with pytest.raises(NobodyCame, match=r"expected a sender in room 'r' within 0\.1 s, nobody came.*same room"):
        await call.receiver.run()
    with pytest.raises(NobodyCame, match=r"expected a receiver in room 'r' within 0\.1 s, nobody came"):
        await call.sender.run()
    assert call.sender.report.ended.startswith("expected a receiver in room 'r'")
    assert not call.output.exists()


async def test_unknown_room_is_one_in_which_nobody_comes(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    (tmp_path / "other").mkdir()
    here = Call(url, tmp_path, clip, tiny, room="here", receive_settings={"wait_s": 0.3})
    there = Call(url, tmp_path / "other", clip, tiny, room="there", send_settings={"wait_s": 0.3})
    errors = await asyncio.gather(here.receiver.run(), there.sender.run(), return_exceptions=True)
    assert [type(error) for error in errors] == [NobodyCame, NobodyCame]


async def test_bad_room_name(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny, room="my room")
    errors = await call.run()
    assert [type(error) for error in errors] == [Refusal, Refusal]
    assert "expected a room name of 1 to 64 letters, digits, '-' or '_', got 'my room'" in one_line(errors[0])


async def test_no_server(tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call("ws://127.0.0.1:9", tmp_path, clip, tiny)
    errors = await call.run()
    assert [type(error) for error in errors] == [ServerUnreachable, ServerUnreachable]
    assert "start one with `facewire signal`" in one_line(errors[1])


async def test_third_peer_is_refused_and_the_call_goes_on(url: str, tmp_path: Path, tiny: Model) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=150, rate=25)  # the call must outlast both refusals
    (tmp_path / "third").mkdir()
    call = Call(url, tmp_path, clip, tiny)
    sender, receiver = call.start()
    await call.until_said("receiving from")
    third = Call(url, tmp_path / "third", clip, tiny)
    with pytest.raises(Refusal, match="room 'r' is full"):
        await third.receiver.run()
    with pytest.raises(Refusal, match="room 'r' is full"):
        await third.sender.run()
    await asyncio.gather(sender, receiver)
    assert call.receiver.report.frames_shown == call.sender.report.frames_sent > 0


async def test_model_mismatch_is_refused_in_words_on_both_sides(
    url: str, tmp_path: Path, clip: Path, tiny: Model
) -> None:
    other = build_model("tiny", seed=1)
    save_model(other.networks, other.codec_tables, tmp_path / "other", {"source": "test", "licence": "none"})
    call = Call(url, tmp_path, clip, tiny, other_model=load_model(tmp_path / "other"))
    errors = await call.run()
    # each side sees it by itself; whose words come first is a race that either may win
    assert {type(error) for error in errors} <= {Mismatch, CallRefused}
    for error in errors:
        assert "the same model on both sides" in one_line(error)
        assert tiny.model_id[:12] in one_line(error)
    assert not call.output.exists()
    assert not call.record.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.mp4", "found no such file"), ("text.mp4", "got one that is none"), ("still.mp4", "a still picture")],
)
async def test_bad_clip_is_said_before_the_room_is_joined(
    url: str, tmp_path: Path, tiny: Model, name: str, words: str
) -> None:
    (tmp_path / "text.mp4").write_text("not a video\n" * 50)
    make_clip(tmp_path / "still.mp4", frames=1)
    call = Call(url, tmp_path, tmp_path / name, tiny, send_settings={"face_threshold": 1.0})
    async with await SignalingClient.join(url, "r", "receiver") as waiting:
        with pytest.raises(InputError) as error:
            await call.sender.run()
        assert words in one_line(error.value)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting.receive(), 0.1)


async def test_no_face_is_said_before_the_room_is_joined(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny, send_settings={"face_threshold": 1.0})
    async with await SignalingClient.join(url, "r", "receiver") as waiting:
        with pytest.raises(NoFace, match="expected a face in the first 1 s, found none in 25 frames") as error:
            await call.sender.run()
        assert "needed 1.00" in one_line(error.value)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting.receive(), 0.1)


@pytest.mark.slow
async def test_face_lost_in_mid_call_is_counted_and_the_call_lives_on(
    url: str, tmp_path: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 4 s without a face: longer than the silence after which a sender is taken for gone
    clip = make_clip(tmp_path / "turns_away.mp4", frames=120, rate=25)
    call = Call(url, tmp_path, clip, tiny, send_settings={"capture_queue_frames": 200, "face_threshold": 0.0})
    call.sender._settings = call.sender._settings.model_copy(update={"face_threshold": 0.5})
    extract = call.sender._extractor.extract_now

    def scripted(crop: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], time_s: float) -> object:
        found = extract(crop, time_s)
        score = 1.0 if time_s < 0.4 or time_s >= 4.4 else 0.0
        return type(found)(found.motion, score)

    monkeypatch.setattr(call.sender._extractor, "extract_now", scripted)
    monkeypatch.setattr(call.sender._extractor, "face_score", lambda crop: 1.0)
    assert await call.run() == (None, None)
    assert call.sender.report.frames_no_face == 100
    assert call.sender.report.frames_sent == 20
    times_s = video_times_s(call.output)
    assert [time_s for time_s in times_s if 0.4 <= time_s < 4.4] == []
    assert len(times_s) == 20


@pytest.mark.slow
async def test_sender_falls_silent_receiver_ends_by_itself_with_all_written(
    url: str, tmp_path: Path, long_clip: Path, tiny: Model
) -> None:
    network = BadNetwork(seed=1, loss=1.0)
    call = Call(url, tmp_path, long_clip, tiny, to_receiver=network, to_sender=network)
    sender, receiver = call.start()
    await call.until_some_frames_came()
    network.bad = True  # from now on nothing comes through, in either direction
    loop = asyncio.get_running_loop()
    cut_s = loop.time()
    errors = await asyncio.gather(sender, receiver, return_exceptions=True)
    assert loop.time() - cut_s < 12
    assert [type(error) for error in errors] == [PeerGone, PeerGone]
    assert "expected the receiver to stay until the call ends, but nothing was heard from it for 3 s" in str(errors[0])
    words = str(errors[1])
    assert "expected the sender to stay until the call ends, but nothing was heard from it for 3 s" in words
    shown = call.receiver.report.frames_shown
    assert f"{shown} frames came before that and are in {call.output}" in words
    assert len(video_times_s(call.output)) == shown == call.receiver.report.frames_received > 0
    reader = RecordingReader(call.record)
    assert len(list(reader.messages())) == call.receiver.report.messages_received
    assert reader.complete


async def test_sender_stopped_by_hand_receiver_ends_well(
    url: str, tmp_path: Path, long_clip: Path, tiny: Model
) -> None:
    call = Call(url, tmp_path, long_clip, tiny)
    sender, receiver = call.start()
    await call.until_some_frames_came()
    sender.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sender
    await receiver
    assert call.sender.report.ended == "stopped at the sender"
    assert call.receiver.report.ended == "the sender hung up: stopped at the sender"
    assert call.receiver.report.frames_shown == call.sender.report.frames_sent > 0
    assert len(video_times_s(call.output)) == call.receiver.report.frames_shown


async def test_receiver_stopped_by_hand_sender_ends_well(
    url: str, tmp_path: Path, long_clip: Path, tiny: Model
) -> None:
    call = Call(url, tmp_path, long_clip, tiny)
    sender, receiver = call.start()
    await call.until_some_frames_came()
    receiver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await receiver
    await sender
    assert call.sender.report.ended == "the receiver hung up: stopped at the receiver"
    assert call.receiver.report.ended == "stopped at the receiver"
    assert len(video_times_s(call.output)) == call.receiver.report.frames_shown > 0
    list(RecordingReader(call.record))


async def test_damaged_clip_sends_what_is_good_and_then_says_so(
    url: str, tmp_path: Path, clip: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call(url, tmp_path, clip, tiny)
    read = 0

    def damaged(self: object, decoded: object) -> float:
        nonlocal read
        read += 1
        if read > 12:  # the first frame is read twice, once to find the face
            raise InputError("clip.mp4: expected a whole video, it is damaged after 11 frames")
        return (read - 2) * 0.04 if read > 1 else 0.0

    monkeypatch.setattr("sender.camera.Clip._time_s", damaged)
    errors = await call.run()
    assert one_line(errors[0]) == "clip.mp4: expected a whole video, it is damaged after 11 frames"
    assert errors[1] is None
    assert call.receiver.report.frames_shown == call.sender.report.frames_sent > 0


async def test_output_that_cannot_be_written_is_said_before_the_room_is_joined(
    url: str, tmp_path: Path, clip: Path, tiny: Model
) -> None:
    call = Call(url, tmp_path, clip, tiny)
    call.receiver._output = tmp_path / "none" / "out.mp4"
    async with await SignalingClient.join(url, "r", "sender") as waiting:
        with pytest.raises(OutputError, match="expected a folder"):
            await call.receiver.run()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting.receive(), 0.1)


async def test_recording_that_cannot_be_written_is_refused_in_words_to_the_sender(
    url: str, tmp_path: Path, clip: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, header: object) -> None:
        raise RecordingError(f"cannot write the recording {path}: No space left on device")

    monkeypatch.setattr("signaling.recorder.RecordingWriter", full)
    call = Call(url, tmp_path, clip, tiny)
    errors = await call.run()
    assert isinstance(errors[1], RecordingError)
    assert isinstance(errors[0], CallRefused)
    assert "the other side refused: cannot write the recording" in one_line(errors[0])


async def test_full_disk_in_mid_call_ends_it_in_words_on_both_sides(
    url: str, tmp_path: Path, long_clip: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call(url, tmp_path, long_clip, tiny)

    def full(self: object, image: object, time_s: float) -> None:
        raise OutputError("out.mp4: expected to write the video, failed: No space left on device")

    monkeypatch.setattr("receiver.show.VideoWriter.write", full)
    errors = await call.run()
    assert isinstance(errors[1], OutputError)
    assert errors[0] is None
    assert "the receiver hung up: out.mp4: expected to write the video, failed" in call.sender.report.ended
    list(RecordingReader(call.record))


async def test_all_media_lost_is_an_error_and_leaves_no_file(
    url: str, tmp_path: Path, clip: Path, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.peer.Peer.send_media", lambda self, message: None)
    call = Call(url, tmp_path, clip, tiny)
    errors = await call.run()
    assert errors[0] is None
    assert isinstance(errors[1], NothingCame)
    assert f"none came of the {call.sender.report.frames_sent} that were sent" in one_line(errors[1])
    assert not call.output.exists()


async def test_receiver_that_leaves_before_the_answer(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny)
    client = await SignalingClient.join(url, "r", "receiver")
    sending = asyncio.create_task(call.sender.run())
    assert isinstance(await client.receive(), PeerJoined)
    await client.receive()  # the offer
    await client.close()
    with pytest.raises(PeerGone, match="it left room 'r'"):
        await sending
