"""The queue of live media: bounded, the latest win, what is dropped is counted."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class DroppingQueue(Generic[T]):
    """First in, first out, between callbacks or tasks of one event loop. Putting never waits."""

    def __init__(self, limit: int) -> None:
        self._waiting: deque[T] = deque()
        self._limit = limit
        self._changed = asyncio.Event()
        self._closed = False
        self.put_count = 0
        self.dropped = 0

    def put(self, item: T) -> None:
        """Add an item; the oldest goes where there is no room."""
        self.put_count += 1
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(item)
        self._changed.set()

    def end(self) -> None:
        """Say that no more items come."""
        self._closed = True
        self._changed.set()

    @property
    def ended(self) -> bool:
        """Whether no more items come and none waits."""
        return self._closed and not self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    async def get(self, patience_s: float | None = None) -> T | None:
        """Wait for the oldest item there is; None when the patience or the queue has ended."""
        try:
            async with asyncio.timeout(patience_s):
                while not self._waiting and not self._closed:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None
        return self._waiting.popleft() if self._waiting else None
