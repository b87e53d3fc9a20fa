"""feedback.py: what comes from the receiver reaches the encoder and the rate control, and nothing harms them."""

import random

from codec.acknowledgement import Acknowledgement
from codec.decoder import Decoder
from codec.encoder import Encoder
from codec.errors import MissingReference
from sender.feedback import Feedback
from sender.rate import RateController
from tests.receiver.motions import KEYPOINTS, TABLES, motion


class Bench:
    """A sender that has sent eight messages, a receiver that got those it is given."""

    def __init__(self) -> None:
        self.encoder, self.rate = Encoder(TABLES), RateController(25.0, KEYPOINTS)
        self.feedback = Feedback(Decoder(TABLES), self.encoder, self.rate, lambda: 1.0)
        self.messages = [self.send(number) for number in range(8)]
        self.receiver, self.answering = Decoder(TABLES), Encoder(TABLES)

    def send(self, number: int) -> bytes:
        message = self.encoder.encode([motion(number * 0.04, number)])
        self.rate.sent(len(message), 1, number * 0.1)
        return message

    def answer(self) -> bytes:
        return self.answering.encode([], acknowledge=self.receiver.acknowledgement())


def test_take_tells_the_rate_control_what_came() -> None:
    bench = Bench()
    for message in bench.messages:
        bench.receiver.decode(message)
    bench.feedback.take(bench.answer())
    assert (bench.feedback.acknowledgements, bench.feedback.lacking, bench.feedback.bad_messages) == (1, 0, 0)
    assert bench.rate.link.rtt_s is not None
    assert bench.rate.link.losses.count == 5  # three more must come before one is judged


def test_take_lacking_makes_the_next_message_one_that_can_be_read() -> None:
    bench = Bench()
    bench.receiver.decode(bench.messages[0])
    for message in bench.messages[2:]:
        try:
            bench.receiver.decode(message)
        except MissingReference:
            continue
    told = bench.receiver.acknowledgement()
    assert told is not None
    assert told.lacking
    bench.feedback.take(bench.answer())
    assert bench.feedback.lacking == 1
    assert len(bench.receiver.decode(bench.send(8)).motions) == 1


def test_take_motion_that_cannot_be_read_still_brings_its_acknowledgement() -> None:
    bench = Bench()
    bench.receiver.decode(bench.messages[0])
    told = bench.receiver.acknowledgement()
    for number in range(3):  # a call of two ways; of its first messages none comes
        answer = bench.answering.encode([motion(number * 0.04)], acknowledge=told)
    bench.feedback.take(answer)
    assert (bench.feedback.acknowledgements, bench.feedback.bad_messages) == (1, 0)


def test_take_noise_is_counted_and_changes_nothing() -> None:
    bench = Bench()
    before = bench.rate.plan(1.0)
    draw = random.Random(0)
    for _ in range(50):
        bench.feedback.take(draw.randbytes(draw.randrange(40)))
    bench.feedback.take(bench.answering.encode([], acknowledge=Acknowledgement(700, 0xFFFF)))  # never sent
    assert bench.feedback.bad_messages + bench.feedback.acknowledgements >= 50
    assert bench.rate.plan(1.0) == before
