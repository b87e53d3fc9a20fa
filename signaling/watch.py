"""During the call: notice that the other side is gone, and who hung up."""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from signaling.client import SignalingClient
from signaling.control import ControlChannel
from signaling.control_messages import Bye, CropMoved, Idle, Recording, name_of
from signaling.errors import ControlError, PeerGone
from signaling.liveness import SILENCE_LIMIT_S, Liveness
from signaling.messages import other_role
from signaling.peer import Peer, wait_until_left

LOOK_EACH_S = 0.1


async def watch_peer(
    peer: Peer,
    client: SignalingClient,
    heard_s: Callable[[], float | None],
    now: Callable[[], float] = time.monotonic,
) -> NoReturn:
    """Raise PeerGone, with the reason in words, when the other side is gone.

    Args: heard_s: when something last came from it, by `now`; None where that cannot be known.
    """
    alive = Liveness(now(), SILENCE_LIMIT_S if heard_s() is not None else math.inf)
    seat = asyncio.create_task(wait_until_left(client), name="watch the other seat")
    try:
        while (verdict := _look(alive, peer, heard_s(), now())) is None:
            if seat.done():
                alive.left_its_seat(now())
                seat = asyncio.create_task(wait_until_left(client), name="watch the other seat")
            with suppress(TimeoutError):
                await asyncio.wait_for(peer.closed.wait(), LOOK_EACH_S)
        await asyncio.sleep(LOOK_EACH_S)  # a refusal or a goodbye that came just before may still be being read
        raise PeerGone(f"expected the {other_role(client.role)} to stay until the call ends, but {verdict}")
    finally:
        seat.cancel()
        await asyncio.gather(seat, return_exceptions=True)


def _look(alive: Liveness, peer: Peer, heard_s: float | None, now_s: float) -> str | None:
    if heard_s is not None:
        alive.heard(heard_s)
    if peer.closed.is_set():
        alive.closed()
    return alive.verdict(now_s)


async def wait_bye(
    control: ControlChannel,
    on_crop: Callable[[CropMoved], None] | None = None,
    on_recording: Callable[[Recording], None] = lambda _: None,
) -> Bye:
    """Wait until the other side hangs up; the receiver of a call hears `on_crop` of each `crop_moved` before that.

    `on_recording` hears that the other side keeps the call.

    Raises ControlError for anything else but `idle`, PeerGone.
    """
    while True:
        message = await control.receive()
        if isinstance(message, Bye):
            return message
        if isinstance(message, CropMoved) and on_crop is not None:
            on_crop(message)
        elif isinstance(message, Recording):
            on_recording(message)
        elif not isinstance(message, Idle):
            raise ControlError(f"expected 'bye' or 'idle' during the call, got {name_of(message)}")
