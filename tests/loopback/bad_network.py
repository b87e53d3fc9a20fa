"""Loss, delay, reordering and duplicates at the UDP receive call, the same for the same seed."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class BadNetwork:
    """A network from one peer to the other. Good until `bad` is set, so that the call can be set up first.

    Shares are probabilities a datagram; delays in seconds, uniform between the two.
    """

    seed: int
    loss: float = 0.0
    duplicate: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)
    bad: bool = False
    lost: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def __call__(self, data: bytes, deliver: Callable[[], None]) -> None:
        """Lose, delay or double one datagram."""
        if not self.bad:
            deliver()
            return
        if self._random.random() < self.loss:
            self.lost += 1
            return
        loop = asyncio.get_running_loop()
        loop.call_later(self._random.uniform(*self.delay_s), deliver)
        if self._random.random() < self.duplicate:
            loop.call_later(self._random.uniform(*self.delay_s), deliver)
