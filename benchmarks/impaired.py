"""A network that loses and delays, at the UDP receive call, the same for the same seed."""

import asyncio
import random
from collections.abc import Callable


class Impaired:
    """Given to signaling.peer.Peer as `impair`. Datagrams keep their order: the delay is the same for all."""

    def __init__(self, seed: int, loss: float, delay_s: float) -> None:
        """Lose this share of datagrams, and deliver the others so many seconds later."""
        self.gone = False
        """Whether nothing comes through at all."""
        self._random = random.Random(seed)
        self._loss = loss
        self._delay_s = delay_s

    def __call__(self, data: bytes, deliver: Callable[[], None]) -> None:
        """Take one datagram."""
        if self.gone or self._random.random() < self._loss:
            return
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, deliver)
        else:
            deliver()
