"""A call by links with tokens: it is made, it is reported, and it goes on when the server stops."""

import asyncio
import re
from contextlib import AsyncExitStack

import pytest

from call.room_link import RoomLink
from models.weights import Model
from signaling.errors import Refusal, RefusalCode
from tests.call.engines import make_engine, until
from tests.call.fronts import Remembering
from tests.call.test_engine import Side, both
from tests.signaling.guarded import guarded_server

pytestmark = pytest.mark.network


def make_side(model: Model, link: str) -> Side:
    front = Remembering()
    return Side(make_engine(model, RoomLink.parse(link), front), front)


def reports_in(page: str) -> float:
    """How many reports of a rate the metrics tell of; both sides make one a second."""
    found = re.search(r"^facewire_sent_kbps_count (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_call_by_links_is_reported_and_outlives_the_server(tiny: Model) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(guarded_server(report_each_s=1, grace_s=2))
        made = (await server.make_room()).json()
        a, b = (make_side(tiny, seat["link"]) for seat in made["seats"])
        async with both(a, b):
            waiting = a.front.messages + b.front.messages
            assert not any(seat["token"] in str(waiting) for seat in made["seats"])
            assert not any(made["room"] in str(message) for message in waiting), "nobody else can use this link"
            assert a.engine.figures()["way"] == "direct"
            async with asyncio.timeout(60):
                while reports_in(page := (await server.ask("GET", "/metrics")).text) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            assert "facewire_connect_seconds_count 2.0" in page
            assert 'facewire_call_minutes_total{way="direct"}' in page
            await stack.aclose()
            shown = len(a.front.pictures), len(b.front.pictures)
            await until(lambda: len(a.front.pictures) > shown[0] + 5 and len(b.front.pictures) > shown[1] + 5, 60)
            assert not a.ended.done()
            assert not b.ended.done()
            assert a.front.states[-1] in ("in_call", "unstable")


async def test_call_with_a_link_that_has_expired_ends_in_words(tiny: Model) -> None:
    async with guarded_server() as server:
        side = make_side(tiny, f"{server.url}/rooms/r#{server.token(lifetime_s=-60)}")
        side.engine.start(consent=False)
        with pytest.raises(Refusal, match="this one has expired: ask for a new link") as refused:
            await side.engine.run()
        assert refused.value.code is RefusalCode.TOKEN_EXPIRED
        assert "has expired" in side.engine.progress.reason
