"""dropping_queue.py: bounded, the latest win."""

import asyncio

from signaling.dropping_queue import DroppingQueue


async def test_full_queue_drops_the_oldest_and_counts() -> None:
    queue: DroppingQueue[int] = DroppingQueue(3)
    for number in range(10):
        queue.put(number)
    assert (queue.put_count, queue.dropped, len(queue)) == (10, 7, 3)
    assert [await queue.get() for _ in range(3)] == [7, 8, 9]


async def test_get_waits_for_an_item() -> None:
    queue: DroppingQueue[int] = DroppingQueue(3)
    asyncio.get_running_loop().call_later(0.01, queue.put, 5)
    assert await asyncio.wait_for(queue.get(), 5) == 5


async def test_get_gives_up_after_its_patience_and_loses_nothing() -> None:
    queue: DroppingQueue[int] = DroppingQueue(3)
    assert await queue.get(0.01) is None
    assert not queue.ended
    queue.put(1)
    assert await queue.get(0) == 1


async def test_end_lets_what_waits_be_read_first() -> None:
    queue: DroppingQueue[int] = DroppingQueue(3)
    queue.put(1)
    queue.end()
    states = [queue.ended]
    assert await queue.get() == 1
    states.append(queue.ended)
    assert await queue.get() is None
    assert states == [False, True]


async def test_end_wakes_who_waits() -> None:
    queue: DroppingQueue[int] = DroppingQueue(3)
    asyncio.get_running_loop().call_later(0.01, queue.end)
    assert await asyncio.wait_for(queue.get(), 5) is None
