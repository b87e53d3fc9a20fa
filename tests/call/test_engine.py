"""Two real engines over real peers and a real signaling server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from call.engine import Engine
from call.own_source import from_crop
from call.room_link import RoomLink
from call.states import State
from models.weights import Model
from signaling.errors import CallRefused, Mismatch, PeerGone, Refusal, ServerUnreachable
from tests.call.engines import make_engine, until
from tests.call.fronts import Remembering, act, picture
from tests.loopback.bad_network import BadNetwork

pytestmark = pytest.mark.network
SOON_S = 20.0
"""For what takes a moment on a machine that has nothing else to do; benchmarks.outage says how long."""


@dataclass
class Side:
    """One side of a call."""

    engine: Engine
    front: Remembering
    tasks: list["asyncio.Task[Any]"] = field(default_factory=list)

    def begin(self, shade: int = 0, sound: bool = True, consent: bool = True) -> None:
        """Film, talk and call."""
        self.engine.start(consent)
        self.tasks.append(asyncio.create_task(self.engine.run()))
        self.tasks.append(asyncio.create_task(act(self.engine, shade, sound)))

    @property
    def ended(self) -> "asyncio.Task[str]":
        """The call."""
        return self.tasks[0]

    async def end(self) -> None:
        """Stop everything, if it still runs."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def make_side(model: Model, url: str, impair: BadNetwork | None = None, **settings: Any) -> Side:
    front = Remembering()
    return Side(make_engine(model, RoomLink(url, "r"), front, impair, **settings), front)


@asynccontextmanager
async def both(a: Side, b: Side) -> AsyncIterator[None]:
    """Both call and see each other."""
    try:
        a.begin(0)
        b.begin(1)
        await until(lambda: len(a.front.pictures) > 3 and len(b.front.pictures) > 3, 60)
        yield
    finally:
        await a.end()
        await b.end()


async def test_two_engines_that_begin_at_once_see_and_hear_each_other(tiny: Model, url: str) -> None:
    a, b = make_side(tiny, url), make_side(tiny, url)
    async with both(a, b):
        await until(lambda: len(a.front.sounds) > 20 and len(b.front.sounds) > 20, 60)
        for side in (a, b):
            assert side.front.states[:1] == ["starting"]
            assert side.front.states[-1] in ("in_call", "unstable")
            assert "reconnecting" not in side.front.states
            times_s = [time_s for time_s, _ in side.front.pictures]
            assert times_s == sorted(times_s)
            sequences = [sequence for sequence, _, _ in side.front.sounds]
            assert sequences == sorted(set(sequences))
            assert len(sequences) > 0.5 * (sequences[-1] - sequences[0])  # a machine that is held up drops some
            assert len(set(times_s)) == len(times_s)
        for side, other in ((a, b), (b, a)):
            assert side.engine.conversation is not None
            assert side.engine.screen.current_sha256 == other.engine.own_source.sha256  # type: ignore[union-attr]
            assert side.engine.conversation.incoming.frames > 3
            assert side.engine.conversation.incoming.bad_messages == 0
        roles = {side.engine.conversation._role for side in (a, b) if side.engine.conversation}
        assert roles == {"caller", "callee"}
        await until(lambda: any(stats.wire_kbps_in > stats.payload_kbps_in > 0 for stats in a.front.stats), 20)


async def test_mute_chat_view_and_self_view(tiny: Model, url: str) -> None:
    a, b = make_side(tiny, url), make_side(tiny, url)
    async with both(a, b):
        a.engine.mute(True)
        a.engine.chat("hello")
        await until(lambda: ("them", True) in b.front.mutes and ("them", "hello") in b.front.chats)
        assert ("me", "hello") in a.front.chats
        await asyncio.sleep(0.5)
        heard = len(b.front.sounds)
        await asyncio.sleep(0.6)
        assert len(b.front.sounds) == heard
        a.engine.mute(False)
        await until(lambda: len(b.front.sounds) > heard and ("them", False) in b.front.mutes)

        a.engine.self_view(True)
        await until(lambda: len(a.front.mirrored) > 0)

        b.engine.camera(False)
        await until(lambda: "the other side's camera is off" in a.front.reasons)
        await asyncio.sleep(1.0)
        shown = len(a.front.pictures)
        a.engine.screen.look(20.0, 0.0, False)
        await until(lambda: len(a.front.pictures) > shown)  # a held motion is rendered again when it is turned


async def test_hanging_up_ends_both_in_words_and_leaves_nothing_running(tiny: Model, url: str) -> None:
    before = asyncio.all_tasks()
    a, b = make_side(tiny, url), make_side(tiny, url)
    async with both(a, b):
        a.engine.leave()
        async with asyncio.timeout(SOON_S):
            assert await a.ended == "this side hung up"
            assert await b.ended == "the other side hung up"
        assert a.front.states[-1] == b.front.states[-1] == "ended"
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() <= before


async def test_a_stopped_program_says_goodbye(tiny: Model, url: str) -> None:
    a, b = make_side(tiny, url), make_side(tiny, url)
    async with both(a, b):
        a.ended.cancel()
        async with asyncio.timeout(SOON_S):
            assert (await b.ended).startswith("the other side ")


async def test_other_model_is_refused_on_both_sides(tiny: Model, url: str) -> None:
    other = replace(tiny, manifest={**tiny.manifest, "source": "another"})
    a, b = make_side(tiny, url), make_side(other, url)
    a.begin()
    b.begin()
    try:
        outcomes = await asyncio.wait_for(asyncio.gather(a.ended, b.ended, return_exceptions=True), 30)
        assert all(isinstance(outcome, (Mismatch, CallRefused)) for outcome in outcomes), outcomes
        assert "expected the same model on both sides" in str(outcomes[0])
        assert a.front.states[-1] == b.front.states[-1] == "ended"
    finally:
        await a.end()
        await b.end()


async def test_third_in_a_room_and_no_server_are_said_in_words(tiny: Model, url: str) -> None:
    a, b = make_side(tiny, url), make_side(tiny, url)
    third, lost = make_side(tiny, url), make_side(tiny, "ws://127.0.0.1:1")
    async with both(a, b):
        third.begin()
        with pytest.raises(Refusal, match="room 'r' is full"):
            await asyncio.wait_for(third.ended, 20)
        assert third.front.states[-1] == "ended"
        assert a.engine.progress.state in (State.IN_CALL, State.UNSTABLE)
    lost.begin()
    with pytest.raises(ServerUnreachable):
        await asyncio.wait_for(lost.ended, 20)
    await third.end()
    await lost.end()


@pytest.mark.slow
async def test_network_gone_and_back_reconnects_in_words_on_both_sides(tiny: Model, url: str) -> None:
    to_a, to_b = BadNetwork(1, loss=1.0), BadNetwork(2, loss=1.0)
    a, b = make_side(tiny, url, to_a), make_side(tiny, url, to_b)
    async with both(a, b):
        to_a.bad = to_b.bad = True
        await until(lambda: {a.engine.progress.state, b.engine.progress.state} == {State.RECONNECTING}, 20)
        await asyncio.sleep(6)
        assert a.engine.progress.state is b.engine.progress.state is State.RECONNECTING
        seen = len(a.front.pictures), len(b.front.pictures)
        to_a.bad = to_b.bad = False
        await until(lambda: {a.engine.progress.state, b.engine.progress.state} == {State.IN_CALL}, 20)
        await until(lambda: len(a.front.pictures) > seen[0] and len(b.front.pictures) > seen[1], 20)
        for side in (a, b):
            assert side.front.states[-4:] == ["in_call", "unstable", "reconnecting", "in_call"]
            assert any("nothing was heard from the other side" in reason for reason in side.front.reasons)


async def test_new_source_in_mid_call_is_sent_beside_it_and_used_from_a_frame_on(tiny: Model, url: str) -> None:
    a, b = make_side(tiny, url), make_side(tiny, url)
    async with both(a, b):
        first = b.engine.screen.current_sha256
        a.engine.set_source(from_crop(picture(7, 2), 80))
        await until(lambda: b.engine.screen.current_sha256 != first)
        assert a.engine.conversation is not None
        fresh = a.engine.conversation.offer.used
        assert fresh is not None
        assert b.engine.screen.current_sha256 == fresh.sha256
        seen = len(b.front.pictures)
        await until(lambda: len(b.front.pictures) > seen + 2)
        assert b.engine.conversation is not None
        assert b.engine.conversation.intake.bytes_received > len(fresh.picture)
        assert b.front.states[-1] in ("in_call", "unstable")


async def test_second_call_finds_the_picture_in_the_cache(tiny: Model, url: str, tmp_path: Path) -> None:
    crossed = []
    for call in range(2):
        a, b = make_side(tiny, url), make_side(tiny, url, source_cache=tmp_path)
        a.engine.start(consent=True)
        a.engine.set_source(from_crop(picture(7, 2), 80))
        async with both(a, b):
            assert b.engine.conversation is not None
            crossed.append(b.engine.conversation.intake.bytes_received)
        assert len(list(tmp_path.iterdir())) == 1, call
    assert crossed[0] > 0
    assert crossed[1] == 0


@pytest.mark.slow
async def test_peer_that_vanishes_is_waited_for_and_then_the_call_ends(tiny: Model, url: str) -> None:
    to_a = BadNetwork(1, loss=1.0)
    a, b = make_side(tiny, url, to_a, away_s=1.0), make_side(tiny, url)
    async with both(a, b):
        to_a.bad = True  # its goodbye is lost, too
        await b.end()
        await until(lambda: a.engine.progress.state is State.RECONNECTING, 5)
        with pytest.raises(PeerGone, match=r"the other side left and did not come back within 1 s"):
            await asyncio.wait_for(a.ended, 15)
        assert a.front.states[-1] == "ended"
