"""Engines for tests: the smallest random networks, a finder that sees a face in the middle of anything, real peers."""

import asyncio
from collections.abc import Callable
from typing import Any

from call.engine import Engine
from call.front import Front
from call.room_link import RoomLink
from call.settings import CallSettings
from models.face_finder import FaceFinder
from models.weights import Model
from signaling.ice_hooks import Impair
from signaling.peer import Peer
from tests.models.finders import central_finder


def make_engine(model: Model, link: RoomLink, front: Front, impair: Impair | None = None, **settings: Any) -> Engine:
    """An engine whose peers hear the network through `impair`. Random networks know no faces: any score will do.

    Six frames a second, so that two engines find room on a busy machine.
    """
    chosen = CallSettings(**{"face_threshold": 0.0, "source_cache": None, "frame_rate": 6, "show_rate": 6, **settings})
    finder = FaceFinder(central_finder())
    return Engine(chosen, link, model, front, make_peer=lambda: Peer(impair=impair), finder=finder)


async def until(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    """Wait until something is so. Fails after `limit_s`."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110, there is no event for what only the test asks
            await asyncio.sleep(0.01)
