"""What the page says to do when a call could not begin or was ended, for the words that the programs really say."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from call.room_link import RoomLink
from signaling.client import SignalingClient
from signaling.control_messages import Hello
from signaling.errors import LinkError, Refusal, SignalingError
from signaling.rooms import Claim, check_room_name, choose_role, too_many_rooms
from signaling.tokens import Signer

PAGE = Path(__file__).resolve().parents[2] / "call/page/words.js"
ROOM = "kR3vTq9sYw0a"
SIGNER = Signer(SecretStr("s" * 40))


def hello(role: str, **changed: object) -> Hello:
    told = {"role": role, "codec_format": 2, "model_id": "a" * 64, "tables_sha256": "b" * 64, **changed}
    return Hello.model_validate(told)


def words_of(act: Callable[[], object]) -> str:
    """The one line that a person would read."""
    with pytest.raises((SignalingError, LinkError, Refusal)) as raised:
        act()
    return str(raised.value)


def third() -> object:
    """Come to a room in which two sit."""
    held = {role: Claim("c" * 32) for role in ("caller", "callee")}
    return choose_role(ROOM, held, "call", None)  # type: ignore[arg-type]


def nobody_there() -> object:
    """Ask a server that is not there."""
    return asyncio.run(SignalingClient.join("ws://127.0.0.1:1", ROOM, "call", 2.0))


REASONS: dict[str, tuple[Callable[[], str], str]] = {
    "full room": (lambda: words_of(third), "Two people fit in a room. Ask for a new link"),
    "expired token": (
        lambda: words_of(lambda: SIGNER.read(SIGNER.sign(ROOM, "1", -60), ROOM)),
        "Links expire. Ask the other person for a new one",
    ),
    "token of another room": (
        lambda: words_of(lambda: SIGNER.read(SIGNER.sign("another", "1", 60), ROOM)),
        "Use the whole link",
    ),
    "no token": (lambda: words_of(lambda: SIGNER.read(None, ROOM)), "Use the whole link"),
    "altered token": (lambda: words_of(lambda: SIGNER.read("no.such.token", ROOM)), "Use the whole link"),
    "wrong model": (
        lambda: str(hello("caller").mismatch(hello("callee", model_id="c" * 64))),
        "Both sides need the same facewire",
    ),
    "other tables": (
        lambda: str(hello("caller").mismatch(hello("callee", tables_sha256="c" * 64))),
        "Both sides need the same facewire",
    ),
    "other version": (
        lambda: str(hello("caller").mismatch(hello("callee", protocol=1))),
        "Both sides need the same facewire",
    ),
    "server full": (lambda: str(too_many_rooms(8)), "no room to spare just now"),
    "no server": (lambda: words_of(nobody_there), "Check the network and the address of the server"),
    "link that is none": (lambda: words_of(lambda: RoomLink.parse("ws://host/lounge/1")), "Use the whole link"),
    "name that is none": (lambda: words_of(lambda: check_room_name("a b")), "Use the whole link"),
    "hung up": (lambda: "the other side hung up", "To call again, run facewire call once more"),
    "left": (lambda: "the other side left and did not come back within 30 s", "To call again"),
}


@pytest.fixture(scope="module")
def advice() -> dict[str, tuple[str, str]]:
    """For each case the reason, and what the page says to do."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine: apt-get install nodejs")
    reasons = {name: reason() for name, (reason, _) in REASONS.items()}
    script = (
        f"import {{ adviceFor }} from {json.dumps(PAGE.as_uri())};"
        f"console.log(JSON.stringify({json.dumps(list(reasons.values()))}.map(adviceFor)))"
    )
    done = subprocess.run([node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    return {name: (reasons[name], todo) for name, todo in zip(reasons, json.loads(done.stdout), strict=True)}


@pytest.mark.parametrize("name", REASONS)
def test_advice_fits_the_words_that_are_really_said(name: str, advice: dict[str, tuple[str, str]]) -> None:
    reason, todo = advice[name]
    assert REASONS[name][1] in todo, reason
    assert "\n" not in reason
