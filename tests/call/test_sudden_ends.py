"""Who is killed, closes its program or cannot say goodbye: the other side says so, and nothing keeps running."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.caller import Caller, wait_for
from call.conversation import Conversation
from call.room_link import RoomLink
from call.states import State
from models.weights import Model
from tests.call.engines import make_engine, until
from tests.call.fronts import Remembering, act
from tests.loopback.bad_network import BadNetwork
from tests.signaling.running import running_server

pytestmark = [pytest.mark.network, pytest.mark.slow]
START_S = 120.0
SOON_S = 20.0
"""For what takes 5 s at most on a machine that has nothing else to do."""


@pytest.fixture
def link() -> Iterator[str]:
    """A room on a server that runs in a thread of its own."""
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    address = []

    async def serve() -> None:
        async with running_server() as url:
            address.append(url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(20)
    yield f"{address[0]}/rooms/sudden"
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


@pytest.fixture
def callers() -> Iterator[Callable[[str], Caller]]:
    """Start programs; they end with the test."""
    started: list[Caller] = []

    def start(link: str) -> Caller:
        started.append(Caller(link))
        return started[-1]

    yield start
    for caller in started:
        caller.end()


def handles_of(process: int) -> list[str]:
    """The process's open handles: empty once it is gone."""
    try:
        return [path.name for path in Path(f"/proc/{process}/fd").iterdir()]
    except OSError:
        return []


def test_killed_while_connecting_the_other_waits_again(link: str, callers: Callable[[str], Caller]) -> None:
    stays = callers(link)
    wait_for(lambda: stays.state == "waiting", START_S, "the first one to wait")
    goes = callers(link)
    wait_for(lambda: stays.state == "connecting", START_S, "the second one to come")
    goes.kill()
    wait_for(lambda: stays.state in ("waiting", "reconnecting"), SOON_S, "the first one to say that it is alone")
    assert any("waiting for the other side" in words or "left its seat" in words for words in stays.reasons[2:])
    third = callers(link)  # the seat of the killed one is kept for it: a third one is told so
    third.process.wait(START_S)
    assert third.state == "ended"
    assert "is full" in third.reasons[-1]


def test_closed_in_mid_call_both_programs_are_gone(link: str, callers: Callable[[str], Caller]) -> None:
    stays, goes = callers(link), callers(link)
    begun_s = time.monotonic()
    flow = [stays.flows_since(begun_s), goes.flows_since(begun_s)]
    wait_for(lambda: all(each() for each in flow), START_S, "both to see and hear each other")
    assert handles_of(stays.process.pid)
    goes.process.terminate()
    wait_for(lambda: stays.state == goes.state == "ended", SOON_S, "both to end")
    assert stays.reasons[-1] == "the other side was told to end"
    assert goes.reasons[-1] == "this side was told to end"
    for caller in (stays, goes):
        assert caller.process.wait(SOON_S) == 0
        assert handles_of(caller.process.pid) == []


@pytest.mark.parametrize("lost", ["the goodbye", "every third datagram"])
async def test_goodbye_that_is_hard_to_hear_ends_both_all_the_same(
    tiny: Model, url: str, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    networks = [BadNetwork(seed, loss=0.34, delay_s=(0.05, 0.05)) for seed in (5, 6)]
    fronts = [Remembering(), Remembering()]
    engines = [
        make_engine(tiny, RoomLink(url, "r"), front, network) for front, network in zip(fronts, networks, strict=True)
    ]
    calls = [asyncio.create_task(engine.run()) for engine in engines]
    plays = [asyncio.create_task(act(engine, shade)) for shade, engine in enumerate(engines)]
    try:
        for engine in engines:
            engine.start(consent=True)
        await until(lambda: all(front.pictures for front in fronts), 60)
        if lost == "the goodbye":
            monkeypatch.setattr(Conversation, "hang_up", _say_nothing)
        else:
            for network in networks:
                network.bad = True
        engines[0].leave()
        assert await asyncio.wait_for(calls[0], SOON_S) == "this side hung up"
        assert await asyncio.wait_for(calls[1], SOON_S) in ("the other side hung up", "the other side left")
        assert all(engine.progress.state is State.ENDED for engine in engines)
    finally:
        for task in (*calls, *plays):
            task.cancel()
        await asyncio.gather(*calls, *plays, return_exceptions=True)


async def _say_nothing(self: Any, reason: str) -> None:
    """Lose the goodbye."""
