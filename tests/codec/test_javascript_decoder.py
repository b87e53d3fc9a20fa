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

import numpy as np
import pytest

from codec import Acknowledgement, CodecTables, Decoder, MediaMessage, MissingReference, WireError
from tests.codec.respell import respelled
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


def test_damaged_calls() -> None:
    """Messages lost, doubled, out of order, cut, changed, and changed but spelled as an encoder spells."""
    tables, rng = stored_tables(), random.Random(4)
    calls = [damaged(rng, tables) for _ in range(DAMAGED_CALLS)]
    found = decode_calls(tables, calls)
    outcomes: set[str] = set()
    for call, results in zip(calls, found, strict=True):
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
            outcomes.add(" ".join(str(result.get("error", "decoded")).split()[:4]))
    assert "decoded" in outcomes
    assert len(outcomes) >= 10, outcomes


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
