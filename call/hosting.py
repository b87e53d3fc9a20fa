"""A signaling server of our own, for a call on the local network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from call.room_link import own_address
from signaling.cli import build_server, listen
from signaling.errors import PortTaken
from signaling.settings import DEFAULT_PORT, SignalSettings


@asynccontextmanager
async def hosted_server(host: str = "0.0.0.0", port: int = DEFAULT_PORT) -> AsyncIterator[str]:
    """Run a server for this machine's network, on another port where the usual one is taken; yields its ws:// address.

    Raises PortTaken.
    """
    settings = SignalSettings(host=host, port=port, max_rooms=8, grace_s=1.0)
    try:
        listener = listen(settings)
    except PortTaken:
        settings = settings.model_copy(update={"port": 0})
        listener = listen(settings)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listener:
        server = build_server(settings, ready.set_result)
        serving = asyncio.create_task(server._serve([listener]), name="signaling server")
        try:
            await asyncio.wait((ready, serving), return_when=asyncio.FIRST_COMPLETED)
            port = listener.getsockname()[1]
            yield f"ws://{own_address() if host == '0.0.0.0' else host}:{port}"
        finally:
            server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)
