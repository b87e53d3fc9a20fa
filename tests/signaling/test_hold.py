"""hold.py on a clock that jumps."""

import asyncio
import math

from signaling.hold import Hold
from tests.signaling.sctp_pair import run


def test_hold_runs_out_once_counted_from_its_first_start() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        times_s: list[float] = []
        hold = Hold(lambda: times_s.append(loop.time()))
        begin_s = loop.time()
        hold.start(0.2)
        await asyncio.sleep(0.1)
        hold.start(0.2)
        assert hold.began_s == begin_s
        await asyncio.sleep(1)
        assert len(times_s) == 1
        assert abs(times_s[0] - begin_s - 0.2) < 1e-6
        assert hold.began_s == math.inf
        hold.start(0.2)
        await asyncio.sleep(1)
        assert len(times_s) == 2

    run(main)


def test_hold_that_is_stopped_does_nothing() -> None:
    async def main() -> None:
        times_s: list[float] = []
        hold = Hold(lambda: times_s.append(0.0))
        hold.start(0.2)
        hold.stop()
        hold.stop()
        assert hold.began_s == math.inf
        await asyncio.sleep(1)
        assert times_s == []

    run(main)
