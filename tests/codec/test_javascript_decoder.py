"""The page's decoder, call/page/codec, under node: the golden vectors, and whatever else the Python decoder says.

It is written from FORMAT.md, so the two agree on values and on errors, word for word.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from codec import Acknowledgement, CodecTables, Decoder, Encoder, Level, MediaMessage, MissingReference, WireError
from codec.fields import ANSWER, BYTE, COUNT, FRAMES, JITTER, LEVEL, NIBBLE, REPEATS, SAME, code_number
from codec.residual import code_frame
from codec.symbols import SymbolWriter
from tests.codec.respell import respelled
from tests.codec.synthetic import canonical, clip_motions
from tests.codec.test_vectors import CALLS, VECTORS, load, stored_tables

NODE = shutil.which("node") or shutil.which("nodejs")
SCRIPT = Path(__file__).with_name("decode_calls.mjs")
DAMAGED_CALLS = 40

pytestmark = pytest.mark.skipif(NODE is None, reason="no node on this machine: apt-get install nodejs")


def decode_calls(tables: CodecTables, calls: Sequence[Sequence[bytes]], brief: bool = False) -> Any:
    """What the page's decoder says to the messages of each call, a new decoder for each."""
    assert NODE is not None
    arrays = {name: array.tolist() for name, array in tables.arrays().items()}
    hexed = [[message.hex() for message in call] for call in calls]
    given = json.dumps({"tables": arrays, "calls": hexed, "brief": brief})
    done = subprocess.run([NODE, str(SCRIPT)], input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CALLS)
def test_call(name: str) -> None:
    vectors = load(name)["messages"]
    messages = [bytes.fromhex(vector["message"]) for vector in vectors]
    results = decode_calls(stored_tables(), [messages])[0]["results"]
    assert len(results) == len(vectors)
    for vector, result in zip(vectors, results, strict=True):
        for key in ("sequence", "profile", "level", "times_ms", "repeated_times_ms", "acknowledgement", "sound"):
            assert result[key] == vector[key], (vector["kind"], key)
        if vector["integers"]:
            assert result["integers"] == vector["integers"], vector["kind"]
        np.testing.assert_allclose(result["motion"], vector["motion"], rtol=1e-6, atol=1e-6, err_msg=vector["kind"])


def test_bad_messages() -> None:
    bad = load("bad_messages")
    results = decode_calls(stored_tables(), [[bytes.fromhex(case["message"])] for case in bad], brief=True)
    assert [result["results"][0] for result in results] == [case["error"] for case in bad]


def test_real_motion_gives_the_same_integers() -> None:
    """All 13 validation clips, by the digest of what their encoder had for integers."""
    clips = load("validation_calls")["clips"]
    with np.load(VECTORS / "validation_tables.npz") as stored:
        tables = CodecTables.from_arrays(dict(stored))
    calls = [[bytes.fromhex(message) for message in clip["messages"]] for clip in clips]
    results = decode_calls(tables, calls, brief=True)
    assert [result["digest"] for result in results] == [clip["digest"] for clip in clips]
    assert not any(error for result in results for error in result["results"])


def test_other_spellings() -> None:
    """All but the shortest bytes of the same symbols are refused: others as long, longer ones, with 00 behind."""
    messages = [bytes.fromhex(vector["message"]) for name in CALLS for vector in load(name)["messages"]]
    calls: list[bytes] = []
    for message in messages:
        behind = [message[:-1] + bytes(((message[-1] + by) % 256,)) for by in (-1, 1, 2, 3, 5, 9, 17, 33, 65, 129)]
        longer = [message + more for more in (b"\0", b"\1", b"\x80", b"\0\0\1", bytes(9), bytes(8) + b"\1")]
        shorter = [message[:-1], message[:-1] + b"\0\0", message[:-2] + b"\1"]
        calls += [*behind, *longer, *shorter, message]
    assert compare([calls]).count("decoded") >= len(messages)


def test_the_smallest_of_a_longer_spelling() -> None:
    """A byte more, and smaller than the shortest spelling: nothing but the length is wrong with one of them."""
    message = bytes.fromhex(load("predictive")["messages"][0]["message"])
    before = (int.from_bytes(message, "big") - 1).to_bytes(len(message), "big")
    words = compare([[before + bytes((more,))] for more in range(1, 256)])
    assert any("shortest coding" in one for one in words)


def test_overtaken_messages() -> None:
    """A frame that came as a repeat is not given out again with its own message, which comes later, or twice."""
    encoder, motions = Encoder(stored_tables()), clip_motions(92, 24, 3)
    encoder.set_source(canonical(92, 3))
    sent = [encoder.encode(motions[at : at + 3], repeat=2) for at in range(0, 24, 3)]
    compare([[sent[at] for at in order] for order in ((0, 2, 1, 1, 2, 4, 3), (1, 0, 3, 2), (0, 7, 5, 6), (0, 3, 2, 1))])


def test_fields_out_of_range() -> None:
    """What no encoder of ours writes, though the range coder can."""
    tables = stored_tables().predictive
    calls, zeros = [], [0] * (3 * tables.keypoints + 6)
    for spacing_ms, time_ms, largest, gap in ((2, 0, 0, (1, 0)), (40, 2**32 - 1, 0, (1, 8)), (40, 0, 32767, (1, 8))):
        writer = SymbolWriter()
        for symbol, model in ((0, ANSWER), (2, FRAMES), (0, REPEATS), (0, LEVEL), (1, SAME), (spacing_ms, BYTE)):
            writer.code(symbol, model)
        code_number(writer, time_ms, 4)
        code_frame(writer, [largest, *zeros[1:]], zeros, tables, Level.HIGH, begins=True)
        writer.code(gap[0], COUNT)
        writer.code(gap[1], JITTER)
        with mock.patch("codec.residual.LARGEST", 40_000):
            code_frame(writer, [largest + 1, *zeros[1:]], [largest, *zeros[1:]], tables, Level.HIGH, begins=False)
        writer.code(0, NIBBLE)
        calls.append([b"\x20\0" + writer.finish()])
    words = ("order of their capture", "capture times up to", "integers up to 32767")
    for outcome_of, expected in zip(compare(calls), words, strict=True):
        assert expected in outcome_of


def test_damaged_calls() -> None:
    """Messages lost, doubled, out of order, cut, changed, and changed but spelled as an encoder spells."""
    rng = random.Random(4)
    outcomes = compare([damaged(rng, stored_tables()) for _ in range(DAMAGED_CALLS)])
    kinds = {" ".join(words.split()[:4]) for words in outcomes}
    assert "decoded" in kinds
    assert len(kinds) >= 10, kinds


def compare(calls: Sequence[Sequence[bytes]]) -> list[str]:
    """Decode calls with both decoders, which must agree; the words of the errors, or "decoded"."""
    tables, words = stored_tables(), []
    for call, results in zip(calls, decode_calls(tables, calls), strict=True):
        decoder = Decoder(tables)
        for message, result in zip(call, results["results"], strict=True):
            expected = outcome(decoder, message)
            motion = result.pop("motion", []), expected.pop("motion", [])
            for one, other in zip(*motion, strict=True):
                np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-4)
            for message_of in (*result["unblocked"], result.get("said", {})):
                message_of.pop("motion", None)
            del result["integers"]
            assert result == expected, message.hex()
            words.append(str(result.get("error", "decoded")))
    return words


def damaged(rng: random.Random, tables: CodecTables) -> list[bytes]:
    """The messages of a golden call, treated badly."""
    call = [bytes.fromhex(vector["message"]) for vector in load(rng.choice(CALLS))["messages"]]
    sent: list[bytes] = []
    decoder = Decoder(tables)  # has what stood in the call before
    for message in call:
        changed = bytearray(message)
        for _ in range(rng.choice((0, 1, 1, 3))):
            changed[rng.randrange(2 if rng.random() < 0.8 else 0, len(changed))] = rng.randrange(256)
        changed = changed[: rng.choice((len(changed), len(changed), rng.randrange(len(changed) + 1)))]
        candidates = [message, message, bytes(changed), respelled(bytes(changed), decoder)]
        decoder.decode(message)
        sent += [rng.choice(candidates) for _ in range(rng.choice((0, 1, 1, 1, 2)))]
    for _ in range(rng.choice((0, 0, 1, 3))):
        at, to = rng.randrange(len(sent)), rng.randrange(len(sent))
        sent[at], sent[to] = sent[to], sent[at]
    return sent


def outcome(decoder: Decoder, message: bytes) -> dict[str, Any]:
    """What the Python decoder says, as decode_calls.mjs does."""
    try:
        result = described(decoder.decode(message))
    except MissingReference as error:
        said = described(error.message)
        del said["motion"]
        result = {"error": str(error), "reference": error.reference, "said": said}
    except WireError as error:
        result = {"error": str(error)}
    unblocked = [described(one) for one in decoder.unblocked()]
    for one in unblocked:
        del one["motion"]
    return {**result, "unblocked": unblocked, "answer": answer_of(decoder.acknowledgement())}


def described(message: MediaMessage) -> dict[str, Any]:
    return {
        "sequence": message.sequence,
        "profile": int(message.profile),
        "level": int(message.level),
        "times_ms": [round(motion.capture_time_s * 1000) for motion in message.motions],
        "repeated_times_ms": [round(motion.capture_time_s * 1000) for motion in message.repeated],
        "acknowledgement": answer_of(message.acknowledgement),
        "sound": message.sound.hex(),
        "motion": [motion.as_vector() for motion in (*message.repeated, *message.motions)],
    }


def answer_of(answer: Acknowledgement | None) -> list[Any] | None:
    return None if answer is None else [answer.newest, answer.received, answer.lacking]
