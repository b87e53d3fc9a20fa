"""The decoder: whatever is lost, late or doubled, its integers are the encoder's or it says what it lacks."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codec import CodecTables, Decoder, Encoder, Level, MediaMessage, MissingReference, Motion, Profile, WireError
from codec.chain import state_bytes
from codec.fields import FRAMES, Links, code_answer, code_links
from codec.symbols import SymbolWriter
from codec.wire import Envelope, write_message
from tests.codec.synthetic import canonical, clip_motions, fitted_tables

K = 3
MOTIONS = clip_motions(99, 240, K)


def new_encoder(level: Level = Level.HIGH, first_sequence: int = 0) -> Encoder:
    encoder = Encoder(fitted_tables(K), Profile.PREDICTIVE, level, first_sequence)
    encoder.set_source(canonical(99, K))
    return encoder


def messages(count: int, repeat: int = 0, first_sequence: int = 0) -> list[bytes]:
    encoder = new_encoder(first_sequence=first_sequence)
    return [encoder.encode(MOTIONS[2 * at : 2 * at + 2], repeat=repeat) for at in range(count)]


def check_no_drift(encoder: Encoder, decoder: Decoder) -> None:
    """Every state that both hold is the same to the last integer."""
    theirs = encoder._references._states
    for number, state in decoder._states.items():
        if number in theirs:
            assert state_bytes(state) == state_bytes(theirs[number])


def test_a_clip_arrives_in_order_and_close_by() -> None:
    decoder = Decoder(fitted_tables(K))
    for number, message in enumerate(messages(60)):
        decoded = decoder.decode(message)
        assert (decoded.sequence, decoded.repeated, decoded.level) == (number, (), Level.HIGH)
        for found, motion in zip(decoded.motions, MOTIONS[2 * number : 2 * number + 2], strict=True):
            assert found.capture_time_s == round(motion.capture_time_s, 3)
            np.testing.assert_allclose(found.as_vector()[:3], motion.as_vector()[:3], atol=0.95)
            np.testing.assert_allclose(found.delta, motion.delta, atol=0.05)


LOSS = st.lists(st.sampled_from(["arrives", "arrives", "lost", "late", "twice"]), min_size=4, max_size=60)


@given(LOSS, st.integers(0, 3), st.integers(0, 4), st.randoms(use_true_random=False))
@example(["arrives"] + ["lost"] * 40 + ["arrives"] * 8, 0, 2, random.Random(1))
@example(["lost"] * 5 + ["arrives"] * 8, 1, 2, random.Random(1))
def test_nothing_drifts(fates: list[str], repeat: int, delay: int, rng: random.Random) -> None:
    """A call over a bad link, acknowledgements coming back `delay` messages later, some of them lost."""
    encoder, decoder = new_encoder(first_sequence=1000), Decoder(fitted_tables(K))
    answers, late, given_out = [], list[bytes](), list[float]()
    for at, fate in enumerate(fates):
        encoder.level = Level(at // 7 % 3)
        message = encoder.encode(MOTIONS[2 * at : 2 * at + 2], repeat=repeat)
        coming = {"arrives": [message], "twice": [message, message]}.get(fate, [])
        if fate == "late":
            late.append(message)
        elif late and rng.random() < 0.5:
            coming.append(late.pop())
        for one in coming:
            given_out += take(decoder, one)
            check_no_drift(encoder, decoder)
        answers.append(decoder.acknowledgement())
        answer = answers[at - delay] if at >= delay else None
        if answer is not None and rng.random() < 0.8:
            encoder.take_acknowledgement(answer)
    assert len(set(given_out)) == len(given_out)  # no frame twice
    assert set(given_out) <= {round(motion.capture_time_s, 3) for motion in MOTIONS}


def take(decoder: Decoder, message: bytes) -> list[float]:
    """Capture times of the frames that a message brings."""
    try:
        decoded = [decoder.decode(message)]
    except MissingReference:
        return []
    decoded += decoder.unblocked()
    return [motion.capture_time_s for one in decoded for motion in (*one.repeated, *one.motions)]


@pytest.mark.parametrize("lost", [1, 5, 40])
def test_a_burst_is_over_one_round_trip_and_a_message_later(lost: int) -> None:
    """Messages 4 ... are lost; acknowledgements take two messages to come back."""
    encoder, decoder = new_encoder(), Decoder(fitted_tables(K))
    answers, good = [], []
    for at in range(lost + 20):
        message = encoder.encode(MOTIONS[2 * at : 2 * at + 2])
        if not 4 <= at < 4 + lost:
            good.append((at, bool(take(decoder, message))))
        answers.append(decoder.acknowledgement())
        if at >= 2 and (answer := answers[at - 2]) is not None:
            encoder.take_acknowledgement(answer)
    missed = [at for at, came in good if not came]
    assert missed == [4 + lost, 5 + lost, 6 + lost][: len(missed)]
    assert all(came for at, came in good if at >= 4 + lost + 3)
    check_no_drift(encoder, decoder)


def test_repeats_need_no_acknowledgement() -> None:
    """With two repeats any two messages in a row may be lost, and their last frames come again."""
    decoder = Decoder(fitted_tables(K))
    for number, message in enumerate(messages(30, repeat=2)):
        if number % 3 == 0:
            decoded = decoder.decode(message)
            times = [motion.capture_time_s for motion in (*decoded.repeated, *decoded.motions)]
            first = 2 * number
            expected = [first - 3, first - 1, first, first + 1] if number else [0, 1]
            assert times == [round(MOTIONS[frame].capture_time_s, 3) for frame in expected]


def test_a_state_other_than_the_senders_is_named() -> None:
    decoder, other = Decoder(fitted_tables(K)), new_encoder()
    decoder.decode(messages(1)[0])
    other.encode(clip_motions(98, 2, K))
    with pytest.raises(MissingReference, match="builds on a state other than the sender's"):
        decoder.decode(other.encode(clip_motions(98, 4, K)[2:]))


def test_thinner_repeats_bridge_as_many_losses() -> None:
    encoder, decoder = new_encoder(), Decoder(fitted_tables(K))
    for number in range(20):
        message = encoder.encode(MOTIONS[2 * number : 2 * number + 2], repeat=3, repeat_each=3)
        if number % 4 == 0:
            decoded = decoder.decode(message)
            assert (len(decoded.repeated), len(decoded.motions)) == (min(number, 1), 2)
            check_no_drift(encoder, decoder)


def test_a_missing_reference_is_named_and_the_rest_is_not_lost() -> None:
    encoder, decoder = new_encoder(first_sequence=1022), Decoder(fitted_tables(K))
    assert decoder.acknowledgement() is None
    decoder.decode(encoder.encode(MOTIONS[:1]))
    encoder.encode(MOTIONS[1:2])
    answer = Decoder(fitted_tables(K))
    answer.decode(messages(1)[0])
    third = encoder.encode(MOTIONS[2:3], sound=b"opus", acknowledge=answer.acknowledgement())
    with pytest.raises(MissingReference, match="state after message 1023 to decode message 0") as caught:
        decoder.decode(third)
    assert caught.value.reference == 1023
    assert caught.value.message == MediaMessage(0, (), acknowledgement=answer.acknowledgement(), sound=b"opus")
    told = decoder.acknowledgement()
    assert told is not None
    assert (told.newest, told.received, told.lacking) == (1022, 0, True)


def test_nothing_held_is_told() -> None:
    decoder = Decoder(fitted_tables(K))
    with pytest.raises(MissingReference):
        decoder.decode(messages(2)[1])
    told = decoder.acknowledgement()
    assert told is not None
    assert (told.newest, told.received, told.lacking) == (-1, 0, True)


def test_acknowledgement_names_what_came() -> None:
    decoder = Decoder(fitted_tables(K))
    for number, message in enumerate(messages(20, repeat=2)):
        if number not in (9, 10, 13):
            decoder.decode(message)
    told = decoder.acknowledgement()
    assert told is not None
    lost = 1 << 18 - 9 | 1 << 18 - 10 | 1 << 18 - 13  # though their last frames came again
    assert (told.newest, told.received, told.lacking) == (19, 0xFFFF ^ lost, False)


def test_overtaken_messages_are_read_as_soon_as_they_can_be() -> None:
    sent, decoder = messages(6), Decoder(fitted_tables(K))
    decoder.decode(sent[0])
    for ahead in (3, 2):
        with pytest.raises(MissingReference):
            decoder.decode(sent[ahead])
        assert decoder.unblocked() == []
    decoder.decode(sent[1])
    assert [one.sequence for one in decoder.unblocked()] == [2, 3]
    assert decoder.unblocked() == []
    told = decoder.acknowledgement()
    assert told is not None
    assert not told.lacking


def test_a_damaged_message_that_waited_is_dropped() -> None:
    sent, decoder = messages(4), Decoder(fitted_tables(K))
    decoder.decode(sent[0])
    for ahead in (sent[2] + b"\1", sent[3]):
        with pytest.raises(MissingReference):
            decoder.decode(ahead)
    decoder.decode(sent[1])
    assert decoder.unblocked() == []
    decoder.decode(sent[2])
    assert [one.sequence for one in decoder.unblocked()] == [3]


def test_a_state_other_than_the_senders_is_noticed() -> None:
    """Two calls mixed up: the numbers fit, the integers do not. Four bits miss one time in 16, but not for long."""
    decoder, other = Decoder(fitted_tables(K)), new_encoder()
    decoder.decode(messages(1)[0])
    noticed = 0
    other.encode(clip_motions(98, 1, K))
    for index in range(1, 9):
        try:
            decoder.decode(other.encode([Motion.from_vector(MOTIONS[index].as_vector() * 2, index / 25)]))
        except MissingReference:
            noticed += 1
    told = decoder.acknowledgement()
    assert noticed >= 6
    assert told is not None
    assert told.lacking


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check_contract(data)


@given(st.integers(0, 3), st.integers(0, 255), st.binary(max_size=120))
@example(0, 0, b"\xff" * 120)
def test_any_bytes_behind_a_good_header(high: int, low: int, data: bytes) -> None:
    for flags in (0x20, 0x28):
        check_contract(bytes((flags | high, low)) + data)


GOOD = messages(3, repeat=1)


@given(st.sampled_from(GOOD), st.data())
def test_a_changed_byte(good: bytes, draw: st.DataObject) -> None:
    data = bytearray(good)
    data[draw.draw(st.integers(0, len(good) - 1))] ^= draw.draw(st.integers(1, 255))
    check_contract(bytes(data))


@given(st.sampled_from(GOOD), st.data())
def test_a_cut_message(good: bytes, draw: st.DataObject) -> None:
    check_contract(good[: draw.draw(st.integers(0, len(good) - 1))])


def check_contract(data: bytes) -> None:
    """A value with finite motion, or WireError in one line; and after an error the state is what it was."""
    decoder = Decoder(fitted_tables(K))
    decoder.decode(GOOD[0])
    before = dict(decoder._states)
    try:
        message = decoder.decode(data)
    except WireError as error:
        assert "\n" not in str(error)  # noqa: PT017 - no error is as good as this one
        assert decoder._states == before
        return
    assert len(message.motions) <= 16
    assert len(message.repeated) <= 15
    assert all(np.isfinite(motion.as_vector()).all() for motion in (*message.repeated, *message.motions))


def of_nothing(frames: int, links: Links) -> bytes:
    """A message that says it has frames, and then has nothing but zeros."""
    writer = SymbolWriter()
    code_answer(writer, None)
    writer.code(frames, FRAMES)
    code_links(writer, links)
    return writer.finish()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("a text message", "in bytes, got text of 14 characters"),
        (b"", "got 0 bytes"),
        (GOOD[0] + b"\0", "nothing behind it"),
        (GOOD[0] + b"xyz", "nothing behind it"),
        (GOOD[0][:2] + b"\xff" * 40, "cannot have written|nothing behind it"),
        (b"\x28\x05" + of_nothing(1, Links(True, (1,))), "profile paper to build on nothing"),
        (write_message(Envelope(Profile.PREDICTIVE, 9, b"", of_nothing(2, Links(True, (4,))))), "after message 5"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_refused(message: bytes | str, words: str) -> None:
    with pytest.raises(WireError, match=words):
        Decoder(fitted_tables(K)).decode(message)


def test_memory_is_bounded() -> None:
    """Long noise costs no more than the frames that a message may have, and what is kept is little."""
    decoder, rng = Decoder(CodecTables.default(255)), random.Random(1)
    assert decoder._tables.predictive.models  # built before memory is counted
    assert decoder._tables.paper.models
    tracemalloc.start()
    for flags in (0x20, 0x28):
        for _ in range(5):
            with pytest.raises(WireError):
                decoder.decode(bytes((flags, 1)) + rng.randbytes(65533))
    assert tracemalloc.get_traced_memory()[1] < 6_000_000
    tracemalloc.stop()


def test_what_is_kept_is_bounded() -> None:
    decoder, encoder = Decoder(fitted_tables(K)), new_encoder()
    for at in range(200):
        message = encoder.encode([Motion.from_vector(MOTIONS[at].as_vector(), at / 25)])
        if at != 100:
            try:
                decoder.decode(message)
            except MissingReference:
                continue
    assert len(decoder._states) <= 65
    assert len(decoder._waiting) <= 16
    assert len(decoder._came) <= 65
