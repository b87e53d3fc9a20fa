"""tasks.py: the first to end decides, and nothing is left running."""

import asyncio
import time

import pytest

from signaling.tasks import first_to_end, for_ever


async def result(value: int, after_s: float = 0.0) -> int:
    await asyncio.sleep(after_s)
    return value


async def failure(words: str, after_s: float = 0.0) -> int:
    await asyncio.sleep(after_s)
    raise ValueError(words)


async def test_first_result_wins_and_the_others_are_cancelled() -> None:
    ended = []

    async def slow() -> int:
        try:
            return await for_ever()
        finally:
            ended.append("slow")

    assert await first_to_end(slow(), result(1)) == 1
    assert ended == ["slow"]
    assert len(asyncio.all_tasks()) == 1


async def test_first_error_wins() -> None:
    with pytest.raises(ValueError, match="early"):
        await first_to_end(result(1, 5.0), failure("early"))


async def test_ended_together_the_earlier_argument_counts() -> None:
    assert await first_to_end(result(1), failure("second")) == 1
    with pytest.raises(ValueError, match="first"):
        await first_to_end(failure("first"), result(2))


async def test_error_while_being_cancelled_is_not_lost() -> None:
    async def breaks_at_the_end() -> int:
        try:
            return await for_ever()
        finally:
            raise ValueError("at the end")

    with pytest.raises(ValueError, match="at the end"):
        await first_to_end(result(1), breaks_at_the_end())


async def test_cancelled_from_outside_cancels_all_and_waits_for_them() -> None:
    start_s = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await first_to_end(result(1, 60.0), result(2, 60.0))
    assert len(asyncio.all_tasks()) == 1
    assert time.monotonic() - start_s < 10
