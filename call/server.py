"""The page of a call and its WebSocket, for this machine's browser alone (local_page.py says how)."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

from fastapi import FastAPI, Query, Request, WebSocket
from fastapi.responses import Response

from call.engine import Engine
from call.local_page import LocalPage, is_this_machine, serve_page
from call.page_front import PageFront
from call.page_link import PageLink

PAGE_FOLDER: Final = Path(__file__).parent / "page"
TOKEN_WRONG, OTHER_ORIGIN, ANOTHER_PAGE = 4401, 4403, 4409


class PageServer:
    """Serves one engine's page. `gone` is called when the page has been away for so long that the call is to end."""

    def __init__(self, engine: Engine, front: PageFront, gone_s: float, folder: Path = PAGE_FOLDER) -> None:
        self.page = LocalPage(folder, "facewire call")
        self.app = FastAPI(title="facewire call", docs_url=None, redoc_url=None, openapi_url=None)
        self._engine = engine
        self._front = front
        self._gone_s = gone_s
        self._leaving: asyncio.Task[None] | None = None
        self.app.add_api_route("/{path:path}", self._file, methods=["GET"])
        self.app.add_api_websocket_route("/ws", self._ws)

    async def _file(self, request: Request, path: str) -> Response:
        return self.page.file(request, path)

    async def _ws(self, socket: WebSocket, token: Annotated[str, Query()] = "") -> None:
        await socket.accept()
        host = socket.headers.get("host", "")
        if not is_this_machine(host) or socket.headers.get("origin") != f"http://{host}":
            await socket.close(OTHER_ORIGIN, "expected the page of this call, got one from another origin")
        elif not self.page.knows(token):
            await socket.close(TOKEN_WRONG, "expected the token that `facewire call` printed")
        elif self._front.link is not None:
            await socket.close(ANOTHER_PAGE, "expected one page, another one has this call: close it first")
        else:
            await self._attend(socket)

    async def _attend(self, socket: WebSocket) -> None:
        await self._stay()
        link = PageLink(socket, self._engine)
        self._front.greet(link)
        try:
            await link.serve()
        finally:
            self._front.link = None
            self._leaving = asyncio.create_task(self._leave_soon(), name="wait for the page")

    async def _leave_soon(self) -> None:
        await asyncio.sleep(self._gone_s)
        self._engine.leave("closed its page")

    async def _stay(self) -> None:
        """Forget that the page was closed: it is back."""
        if self._leaving is not None:
            self._leaving.cancel()
            await asyncio.gather(self._leaving, return_exceptions=True)
            self._leaving = None

    async def run(self, port: int, ready: Callable[[str], None]) -> None:
        """Serve until cancelled; `ready` gets the page's address with its token. Raises PortTaken."""
        try:
            await serve_page(self.app, self.page, port, ready)
        finally:
            await self._stay()
