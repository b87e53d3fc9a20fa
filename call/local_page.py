"""A page served to this machine's browser alone: 127.0.0.1, a token in the address, no other origin or host.

Any web page may open a connection to this machine, and any program may fetch from it. The token keeps out both; the
checks of Origin and Host (DNS rebinding) keep out pages even if they learn the token.
"""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response

from signaling.cli import Server, listen
from signaling.settings import SignalSettings

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


class LocalPage:
    """The files of one page, and who may have them. `command` is the program that prints the page's address."""

    def __init__(self, folder: Path, command: str) -> None:
        self.token = secrets.token_urlsafe(18)
        self.command = command
        self._folder = folder.resolve()

    def knows(self, token: str) -> bool:
        """Whether this is the page's token."""
        return secrets.compare_digest(token.encode(), self.token.encode())

    def file(self, request: Request, path: str) -> Response:
        """One of the page's files. They hold no secret: the token is asked for by the page and by what it loads."""
        if not is_this_machine(request.headers.get("host", "")):
            return PlainTextResponse("expected to be called by 127.0.0.1 or localhost\n", 421)
        if path in ("", "index.html") and not self.knows(request.query_params.get("token", "")):
            words = f"this address has no token, or an old one: use the one that `{self.command}` printed\n"
            return PlainTextResponse(words, 403, headers=HEADERS)
        file = (self._folder / (path or "index.html")).resolve()
        if not file.is_relative_to(self._folder) or file.suffix not in TYPES or not file.is_file():
            return PlainTextResponse("expected a file of the page\n", 404)
        return FileResponse(file, media_type=TYPES[file.suffix], headers=HEADERS)


def is_this_machine(host: str) -> bool:
    """Whether a Host header names this machine."""
    name = host.rsplit(":", 1)[0]
    return name in ("127.0.0.1", "localhost")


async def serve_page(app: FastAPI, page: LocalPage, port: int, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` gets the page's address with its token. Raises PortTaken."""
    settings = SignalSettings(host="127.0.0.1", port=port)
    with listen(settings) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws_max_size=32 << 20,
            ws_per_message_deflate=False,
            ws_ping_interval=10.0,
            ws_ping_timeout=10.0,
            timeout_graceful_shutdown=1,
        )
        server = Server(config, lambda url: ready(f"{url.replace('ws://', 'http://')}/?token={page.token}"))
        serving = asyncio.create_task(server._serve([listener]), name="page server")
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)
