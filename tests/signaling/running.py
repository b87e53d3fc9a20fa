"""The real server on a free port of this machine, for tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from signaling.cli import build_server, listen
from signaling.settings import SignalSettings


@asynccontextmanager
async def running_server(**settings: Any) -> AsyncIterator[str]:
    """Run a server as `facewire signal` does; yields its ws:// address. Settings as keywords."""
    chosen = SignalSettings(**{"port": 0, "grace_s": 1.0, **settings})
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listen(chosen) as listener:
        server = build_server(chosen, ready.set_result)
        # Not serve(): that one takes the process's signals, which are pytest's.
        task = asyncio.create_task(server._serve([listener]), name="signaling server")
        try:
            yield await asyncio.wait_for(ready, 5)
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, 10)
