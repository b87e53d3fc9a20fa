"""The signaling server: one WebSocket a peer at /rooms/{room}, /healthz and /readyz.

It passes SDP from one seat of a room to the other and says who comes and goes. It never sees media, and a call that
stands goes on without it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response, WebSocket
from pydantic import BaseModel

from signaling.memory_rooms import MemoryRooms
from signaling.room_store import RoomStore
from signaling.settings import SignalSettings
from signaling.switchboard import Switchboard


class Health(BaseModel):
    """Answer of /healthz."""

    status: str
    rooms: int
    peers: int


class Readiness(BaseModel):
    """Answer of /readyz: whether a peer can join through this server now, and why not."""

    ready: bool
    trouble: str | None = None


def create_app(settings: SignalSettings) -> FastAPI:
    """Build the server. Two apps share nothing but what their store shares."""
    store = open_store(settings)
    switchboard = Switchboard(settings, store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            yield

    app = FastAPI(title="facewire signaling", docs_url=None, redoc_url=None, lifespan=lifespan)

    @app.get("/healthz")
    async def healthz() -> Health:
        return Health(status="ok", rooms=store.rooms_open, peers=store.seats_taken)

    @app.get("/readyz")
    async def readyz(response: Response) -> Readiness:
        response.status_code = 200 if store.trouble is None else 503
        return Readiness(ready=store.trouble is None, trouble=store.trouble)

    # `:path`, so that a name with a slash is refused in words and not by a bare 403.
    @app.websocket("/rooms/{room:path}")
    async def room(socket: WebSocket, room: str) -> None:
        await switchboard.serve(socket, room)

    return app


def open_store(settings: SignalSettings) -> RoomStore:
    """Choose where the rooms are known."""
    return MemoryRooms(settings)
