"""memory_rooms.py: what a store adds to the rules of the rooms."""

from signaling.memory_rooms import MemoryRooms
from signaling.settings import SignalSettings


async def test_first_use_is_true_once_until_the_key_is_forgotten() -> None:
    clock = [0.0]
    async with MemoryRooms(SignalSettings(), now=lambda: clock[0]) as store:
        assert await store.first_use("a", 10.0)
        assert not await store.first_use("a", 10.0)
        assert await store.first_use("b", 10.0)
        clock[0] = 10.0
        assert await store.first_use("a", 10.0)
