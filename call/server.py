"""The page of a call, served to this machine's browser alone: 127.0.0.1, a token in the address, an Origin check.

Any web page may open a WebSocket to this machine, and any program may fetch from it. The token keeps out both; the
Origin check, and that of the Host (DNS rebinding), keep out pages even if they learn the token.
"""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import uvicorn
from fastapi import FastAPI, Query, Request, WebSocket
from fastapi.responses import FileResponse, PlainTextResponse, Response

from call.engine import Engine
from call.page_front import PageFront
from call.page_link import PageLink
from signaling.cli import Server, listen
from signaling.settings import SignalSettings

PAGE_FOLDER: Final = Path(__file__).parent / "page"
TOKEN_WRONG, OTHER_ORIGIN, ANOTHER_PAGE = 4401, 4403, 4409
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".png": "image/png",
    ".wasm": "application/wasm",
}
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
        "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
}


class PageServer:
    """Serves one engine's page. `gone` is called when the page has been away for so long that the call is to end."""

    def __init__(self, engine: Engine, front: PageFront, gone_s: float, folder: Path = PAGE_FOLDER) -> None:
        self.token = secrets.token_urlsafe(18)
        self.app = FastAPI(title="facewire call", docs_url=None, redoc_url=None, openapi_url=None)
        self._engine = engine
        self._front = front
        self._gone_s = gone_s
        self._folder = folder.resolve()
        self._leaving: asyncio.Task[None] | None = None
        self.app.add_api_route("/{path:path}", self._file, methods=["GET"])
        self.app.add_api_websocket_route("/ws", self._ws)

    async def _file(self, request: Request, path: str) -> Response:
        """One of the page's files. They hold no secret: the token is asked for by the page itself and the WebSocket."""
        if not _is_this_machine(request.headers.get("host", "")):
            return PlainTextResponse("expected to be called by 127.0.0.1 or localhost\n", 421)
        if path in ("", "index.html") and not self._knows(request.query_params.get("token", "")):
            words = (
                "this address has no token, or that of a call that is over: use the one that `facewire call` printed\n"
            )
            return PlainTextResponse(words, 403, headers=HEADERS)
        file = (self._folder / (path or "index.html")).resolve()
        if not file.is_relative_to(self._folder) or file.suffix not in TYPES or not file.is_file():
            return PlainTextResponse("expected a file of the page\n", 404)
        return FileResponse(file, media_type=TYPES[file.suffix], headers=HEADERS)

    async def _ws(self, socket: WebSocket, token: Annotated[str, Query()] = "") -> None:
        await socket.accept()
        host = socket.headers.get("host", "")
        if not _is_this_machine(host) or socket.headers.get("origin") != f"http://{host}":
            await socket.close(OTHER_ORIGIN, "expected the page of this call, got one from another origin")
        elif not self._knows(token):
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

    def _knows(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self.token.encode())

    async def run(self, port: int, ready: Callable[[str], None]) -> None:
        """Serve until cancelled; `ready` gets the page's address with its token. Raises PortTaken."""
        settings = SignalSettings(host="127.0.0.1", port=port)
        with listen(settings) as listener:
            config = uvicorn.Config(
                self.app,
                log_config=None,
                access_log=False,
                ws_max_size=32 << 20,
                ws_per_message_deflate=False,
                ws_ping_interval=10.0,
                ws_ping_timeout=10.0,
                timeout_graceful_shutdown=1,
            )
            server = Server(config, lambda url: ready(f"{url.replace('ws://', 'http://')}/?token={self.token}"))
            serving = asyncio.create_task(server._serve([listener]), name="page server")
            try:
                await asyncio.shield(serving)
            finally:
                server.should_exit = True
                await asyncio.gather(serving, return_exceptions=True)
                await self._stay()


def _is_this_machine(host: str) -> bool:
    name = host.rsplit(":", 1)[0]
    return name in ("127.0.0.1", "localhost")
