"""watch.py: what is heard while one waits for the other side to hang up."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from signaling.control import ControlChannel
from signaling.control_messages import AnyControlMessage, Bye, CropMoved, Idle, Start
from signaling.errors import ControlError
from signaling.watch import wait_bye

BYE = Bye(frames=1, messages=1, reason="the end")
MOVED = CropMoved(capture_time_s=1.5, left=0.1, top=0.2, side=1.0)


class Said:
    """A control channel on which all of this comes."""

    def __init__(self, *messages: AnyControlMessage) -> None:
        self._messages = list(messages)

    async def receive(self, timeout_s: float | None = None) -> AnyControlMessage:
        await asyncio.sleep(0)
        return self._messages.pop(0)


async def wait(*messages: AnyControlMessage, on_crop: Callable[[CropMoved], None] | None = None) -> Bye:
    return await wait_bye(cast(ControlChannel, Said(*messages)), on_crop)


async def test_wait_bye_hears_of_the_crop_on_the_way() -> None:
    heard: list[CropMoved] = []
    assert await wait(Idle(reason="no face"), MOVED, Idle(reason="no face"), MOVED, BYE, on_crop=heard.append) == BYE
    assert heard == [MOVED, MOVED]


async def test_wait_bye_only_a_sender_has_a_crop() -> None:
    with pytest.raises(ControlError, match="expected 'bye' or 'idle' during the call, got 'crop_moved'"):
        await wait(MOVED, BYE)


async def test_wait_bye_nothing_else_is_said_during_a_call() -> None:
    with pytest.raises(ControlError, match="got 'start'"):
        await wait(Start(frame_rate=25), BYE, on_crop=lambda moved: None)
