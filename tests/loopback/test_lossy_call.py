"""Over real peers and a network that loses: what is lost is told, repeated, and there all the same."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from codec.decoder import Decoder
from codec.encoder import Encoder
from codec.motion import Motion
from models.weights import Model
from receiver.acknowledge import Acknowledger, answer_by
from receiver.decode import CountingDecoder
from sender.feedback import Feedback
from sender.packetise import Packetiser
from sender.rate import RateController
from tests.loopback.calls import Call
from tests.loopback.meeting import two_peers, until
from tests.receiver.motions import KEYPOINTS, TABLES

pytestmark = pytest.mark.network
FRAMES = 120
EACH_S = 0.01
SPEAKER = Path(__file__).parents[2] / "replay/assets/motion.npz"


@dataclass
class Lossy:
    """Loses a share of as many datagrams as it is told to."""

    seed: int
    loss: float
    left: int = 0
    lost: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def __call__(self, data: bytes, deliver: Callable[[], None]) -> None:
        self.left -= 1
        if self.left >= 0 and self._random.random() < self.loss:
            self.lost += 1
        else:
            deliver()


@dataclass
class Outcome:
    """What came of a hundred frames, a message each."""

    came: list[float]
    decoder: CountingDecoder
    feedback: Feedback
    rate: RateController
    told: int


async def talk(there: Lossy, back: Lossy) -> Outcome:
    """Send frames from one real peer to another, quicker than in life, with what both sessions have around them."""
    now = asyncio.get_running_loop().time
    came: list[Motion] = []
    with np.load(SPEAKER) as stored:
        motions = [Motion.from_vector(stored["motion"][index], index * 0.04) for index in range(FRAMES)]
    async with two_peers(back, there) as (sender, receiver):
        encoder, rate = Encoder(TABLES), RateController(25.0, KEYPOINTS, 300.0, interval_s=0.0)
        packetiser, feedback = Packetiser(encoder, 0.0, 0.04), Feedback(Decoder(TABLES), encoder, rate, now)
        sender.on_media = feedback.take
        decoder, acknowledger = CountingDecoder(Decoder(TABLES)), Acknowledger()
        answer = answer_by(receiver.send_media, TABLES)

        def receive(message: bytes) -> None:
            for one in decoder.decode(message):
                came.extend((*one.repeated, *one.motions))
            told = decoder.acknowledgement()
            if told is not None and acknowledger.due(told, now()):
                answer(told)

        receiver.on_media = receive
        there.left, back.left = FRAMES - 25, 20  # nothing could repeat the end
        for index in range(FRAMES):
            packetiser.follow(rate.plan(now()))
            packetiser.add(motions[index], now())
            message, frames, _ = packetiser.pack()
            sender.send_media(message)
            rate.sent(len(message), frames, now())
            await asyncio.sleep(EACH_S)
        await until(lambda: bool(came) and came[-1].capture_time_s > (FRAMES - 1.5) * 0.04)
        await asyncio.sleep(0.05)
    return Outcome([round(one.capture_time_s / 0.04) for one in came], decoder, feedback, rate, acknowledger.told)


@pytest.mark.parametrize("loss", [0.1, 0.2])
async def test_lost_frames_come_again_and_none_comes_twice(loss: float) -> None:
    there, back = Lossy(1, loss), Lossy(2, loss)
    outcome = await talk(there, back)
    assert there.lost >= 5
    assert outcome.decoder.frames_recovered >= 5
    assert len(outcome.came) == len(set(outcome.came)) == outcome.decoder.frames >= 0.99 * FRAMES
    assert outcome.decoder.bad_messages == outcome.feedback.bad_messages == 0
    # the receiver tells of it, and the sender counts what was lost
    assert 2 <= outcome.feedback.acknowledgements <= outcome.told
    assert 3 <= outcome.rate.link.losses.lost <= there.lost
    assert outcome.rate.link.rtt_s is not None


async def test_call_reports_what_crossed_the_wire(url: str, tmp_path: Path, clip: Path, tiny: Model) -> None:
    call = Call(url, tmp_path, clip, tiny, send_settings={"level": "medium", "message_interval_ms": None})
    assert await call.run() == (None, None)
    sent, received = call.sender.report.as_dict(), call.receiver.report.as_dict()
    assert (sent["profile"], sent["level"]) == (received["profile"], received["level"]) == ("predictive", "medium")
    assert sent["bytes_per_frame"] == received["bytes_per_frame"]
    assert sent["bytes_per_frame"] == pytest.approx(sent["payload_bytes"] / sent["frames_sent"], abs=0.01)
    assert 0 < sent["payload_kbps"] < sent["wire_kbps_out"]
    assert sent["loss"] == sent["messages_lost"] == received["messages_lacking"] == 0
    assert sent["plans"][0] == [0, 60, 6, 25, "medium"]
    assert 1 <= sent["acknowledgements"] <= received["acknowledgements"]
    assert sent["frames_captured"] == sum(sent[f"frames_{fate}"] for fate in ("sent", "no_face", "dropped", "thinned"))
