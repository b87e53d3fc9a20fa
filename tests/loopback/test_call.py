"""Whole calls that go well, on good and bad networks."""

import asyncio
import io
from pathlib import Path

import av
import pytest
from PIL import Image as Pillow

from codec.decoder import Decoder
from codec.recording import RecordingReader
from codec.recording_records import ControlRecord
from models.face_finder import FaceBox, FaceFinder
from models.weights import Model
from receiver.decode import CountingDecoder
from sender.camera import Image
from tests.loopback.bad_network import BadNetwork
from tests.loopback.calls import Call, video_times_s
from tests.models.finders import central_finder
from tests.sender.clips import make_clip
from tests.signaling.running import running_server

pytestmark = pytest.mark.network
VAL_CLIP = Path(__file__).parents[3] / "shared/data/talking_heads/val/id087_1.mp4"


def recorded_times_s(path: Path, model: Model) -> list[float]:
    """Capture times of all frames in a recording; fails where it is damaged or has no end."""
    decoder = CountingDecoder(Decoder(model.codec_tables))
    reader = RecordingReader(path)
    decoded = [one for _, message in reader.messages() for one in decoder.decode(message)]
    frames = [frame for one in decoded for frame in (*one.repeated, *one.motions)]
    assert reader.complete
    return sorted(round(frame.capture_time_s, 3) for frame in frames)


async def test_both_sides_say_that_they_record(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny, sender_record=tmp_path / "sent.fwr")
    assert await call.run() == (None, None)
    assert {"the receiver records this call", "the sender records this call"} <= set(call.said)
    assert recorded_times_s(call.record, tiny)
    assert [record.text for record in RecordingReader(tmp_path / "sent.fwr") if isinstance(record, ControlRecord)]


async def test_call_every_frame_is_shown_at_its_time_and_all_is_counted(
    url: str, tmp_path: Path, clip: Path, tiny: Model
) -> None:
    call = Call(url, tmp_path, clip, tiny, send_settings={"capture_queue_frames": 100})
    assert await call.run() == (None, None)
    assert "the receiver records this call" in call.said
    assert "the sender records this call" not in call.said
    sent, received = call.sender.report, call.receiver.report
    times_s = [round(index * 0.04, 3) for index in range(25)]
    assert video_times_s(call.output) == times_s
    assert recorded_times_s(call.record, tiny) == times_s
    assert (sent.frames_captured, sent.frames_sent, sent.frames_dropped, sent.frames_no_face) == (25, 25, 0, 0)
    assert (received.frames_received, received.frames_shown, received.frames_dropped) == (25, 25, 0)
    assert received.frames_announced == 25
    assert received.messages_received == sent.messages_sent <= 25
    assert (
        received.payload_bytes
        == sent.payload_bytes
        == sum(len(message) for _, message in RecordingReader(call.record).messages())
    )
    assert sent.source_bytes == received.source_bytes == len(RecordingReader(call.record).source().picture)
    assert sent.ended == "the input ended"
    assert received.ended == "the sender hung up: the input ended"
    assert 0.9 < sent.duration_s < 10


async def test_call_wire_bytes_hold_payload_source_and_headers(
    url: str, tmp_path: Path, clip: Path, tiny: Model
) -> None:
    call = Call(url, tmp_path, clip, tiny)
    assert await call.run() == (None, None)
    sent, received = call.sender.report, call.receiver.report
    assert sent.wire_bytes_out is not None
    assert sent.setup_wire_bytes_out is not None
    assert received.wire_bytes_in is not None
    assert received.setup_wire_bytes_out is not None
    assert received.wire_bytes_out is not None
    assert sent.source_bytes < sent.setup_wire_bytes_out < sent.source_bytes + 8000
    media = sent.wire_bytes_out - sent.setup_wire_bytes_out
    assert sent.payload_bytes + 85 * sent.messages_sent <= media
    # nothing is lost on this machine; the sender stops counting before its last packets leave
    assert 0 <= received.wire_bytes_in - sent.wire_bytes_out < 2000
    # acknowledgements: five a second at most, for the second that the clip takes
    told_bytes = 110 * received.acknowledgements + 300  # ours, of which messages came; SCTP's, of those who tell it
    assert 85 <= received.wire_bytes_out - received.setup_wire_bytes_out <= 85 * sent.messages_sent + told_bytes


async def test_call_times_of_all_stages_are_reported(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny)
    assert await call.run() == (None, None)
    sent, received = call.sender.report.as_dict(), call.receiver.report.as_dict()
    for percentiles in (sent["extract_ms"], sent["encode_ms"], received["decode_ms"], received["render_ms"]):
        assert 0 < percentiles["p50"] <= percentiles["p95"]
    assert sent["model_id"] == received["model_id"] == tiny.model_id


class Walker(FaceFinder):
    """A face at the left of the first picture, and from then on at the right."""

    def __init__(self) -> None:
        super().__init__(central_finder())
        self.looks = 0

    def find(self, image: Image, near: FaceBox | None = None) -> FaceBox:
        self.looks += 1
        return FaceBox(0.9, 40 if self.looks == 1 else 220, 60, 40, 50)


async def test_call_receiver_is_told_when_the_crop_moves(url: str, tmp_path: Path, tiny: Model) -> None:
    clip = make_clip(tmp_path / "wide.mp4", frames=75, rate=25, size=(256, 128))
    settings = {"capture_queue_frames": 100}
    call = Call(url, tmp_path, clip, tiny, finder=Walker(), send_settings=settings)
    assert await call.run() == (None, None)
    path, told = call.sender.report.crop_px, call.receiver.report.crop_moves
    assert path[0] == [0.0, 0, 7, 95]
    assert path[-1][1:] == [161, 7, 95]
    assert told[0] == [0.0, 0.0, 0.0, 1.0]
    assert told[-1][1:] == [round(161 / 95, 4), 0.0, 1.0]
    assert told[-1][0] == pytest.approx(path[-1][0], abs=1e-3)
    assert len(told) < len(path) / 2
    assert call.receiver.report.frames_shown == 75


async def test_call_live_is_written_as_a_screen_shows_it(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    settings = {"capture_queue_frames": 100}
    call = Call(url, tmp_path, clip, tiny, send_settings=settings, receive_settings={"live": True})
    assert await call.run() == (None, None)
    received, times_s = call.receiver.report, video_times_s(call.output)
    assert len(times_s) == received.frames_shown > 1
    # pictures of a busy machine are left out, never late: all are shown at times of the screen
    assert [round(30 * time_s) / 30 for time_s in times_s] == pytest.approx(times_s, abs=0.001)
    assert sum(received.screen.values()) >= received.frames_shown - 1
    assert received.playout_delay_ms > 0
    assert received.screen_on_time is not None


async def test_call_leaves_no_task_behind(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    before = asyncio.all_tasks()
    assert await Call(url, tmp_path, clip, tiny).run() == (None, None)
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() - before == set()


@pytest.mark.parametrize("seed", [1, 2])
async def test_call_over_a_bad_network_shows_what_came_in_order(
    url: str, tmp_path: Path, clip: Path, tiny: Model, seed: int
) -> None:
    network = BadNetwork(seed, loss=0.2, delay_s=(0.0, 0.03), duplicate=0.05)
    call = Call(url, tmp_path, clip, tiny, to_receiver=network)
    sender, receiver = call.start()
    await call.until_said("receiving from")
    network.bad = True
    await asyncio.gather(sender, receiver)
    sent, received = call.sender.report, call.receiver.report
    assert network.lost > 0
    assert received.messages_received < sent.messages_sent
    assert received.messages_missing > 0
    assert received.frames_announced == sent.frames_sent
    assert received.frames_shown + received.frames_dropped == received.frames_received
    times_s = video_times_s(call.output)
    assert times_s == sorted(set(times_s))
    assert len(times_s) == received.frames_shown >= 5
    assert set(times_s) <= set(recorded_times_s(call.record, tiny))


async def test_call_receiver_first_waits_and_says_so(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny)
    receiver = asyncio.create_task(call.receiver.run())
    await call.until_said("waiting in room 'r' for a sender (up to 10 s)")
    await asyncio.sleep(0.2)
    await asyncio.gather(call.sender.run(), receiver)
    assert call.receiver.report.frames_shown > 0


async def test_call_sender_first_waits_and_says_so(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny)
    sender = asyncio.create_task(call.sender.run())
    await call.until_said("waiting in room 'r' for a receiver (up to 10 s)")
    await asyncio.gather(sender, call.receiver.run())
    assert call.receiver.report.frames_shown > 0


async def test_call_second_one_finds_its_source_picture_in_the_cache(
    url: str, tmp_path: Path, clip: Path, tiny: Model
) -> None:
    sizes = []
    for _ in range(2):
        call = Call(url, tmp_path, clip, tiny, receive_settings={"source_cache": tmp_path / "cache"})
        assert await call.run() == (None, None)
        sizes.append((call.sender.report.source_bytes, call.receiver.report.source_bytes))
    assert sizes[0][0] == sizes[0][1] > 0
    assert sizes[1] == (0, 0)


async def test_call_goes_on_when_the_signaling_server_is_lost(tmp_path: Path, clip: Path, tiny: Model) -> None:
    async with running_server() as url:
        call = Call(url, tmp_path, clip, tiny)
        sender, receiver = call.start()
        await call.until_said("receiving from")
    await asyncio.gather(sender, receiver)
    assert call.sender.report.ended == "the input ended"
    assert call.receiver.report.frames_shown == call.sender.report.frames_sent > 0


async def test_call_two_rooms_on_one_server(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    calls = []
    for room in ("a", "b"):
        (tmp_path / room).mkdir()
        calls.append(Call(url, tmp_path / room, clip, tiny, room=room))
    assert await asyncio.gather(*(call.run() for call in calls)) == [(None, None)] * 2
    assert all(call.receiver.report.frames_shown > 0 for call in calls)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.skipif(not VAL_CLIP.exists(), reason="the clips of ../shared are not here")
async def test_call_with_a_real_clip(url: str, tmp_path: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, VAL_CLIP, tiny, send_settings={"capture_queue_frames": 200})
    assert await call.run() == (None, None)
    assert call.receiver.report.frames_shown == call.sender.report.frames_captured == 124
    assert video_times_s(call.output)[-1] == pytest.approx(123 / 25, abs=0.001)


async def test_receiver_of_large_pictures_gets_a_large_source(url: str, tmp_path: Path, tiny: Model) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=5, size=(128, 128))
    call = Call(url, tmp_path, clip, tiny, receive_settings={"size": 128, "view": "10,0"})
    assert await call.run() == (None, None)
    with Pillow.open(io.BytesIO(RecordingReader(call.record).source().picture)) as picture:
        assert picture.size == (128, 128)
    with av.open(str(call.output)) as container:
        assert container.streams.video[0].width == 128
    small = Call(url, tmp_path, clip, tiny, room="small")
    assert await small.run() == (None, None)
    with Pillow.open(io.BytesIO(RecordingReader(small.record).source().picture)) as picture:
        assert picture.size == (64, 64)  # nobody asked for more
