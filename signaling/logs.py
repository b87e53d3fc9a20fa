"""The server's log: lines for people or JSON objects, each with the id of the request that it belongs to.

No line holds a token, a key or a description: facewire's own lines name none, and what looks like one is struck out of
all of them, since a library may repeat what it was sent. Libraries that would log whole messages may only warn.
"""

import contextvars
import logging
import re
import secrets
import sys
from typing import Final, Literal

from pythonjsonlogger.json import JsonFormatter

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

SECRETS: Final = (
    (re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s'\"]+"), r"\1 [key]"),
    (re.compile(r"v=0(\\r|\\n|\s).*", re.DOTALL), "[description]"),
    (re.compile(r"(redis[s]?://)[^@/\s]*@"), r"\1[password]@"),
)
QUIET: Final = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "websockets", "websockets.server", "redis", "asyncio")


def new_request_id() -> str:
    """Choose the id of a request or socket, and have the lines logged in it carry that."""
    chosen = secrets.token_hex(8)
    request_id.set(chosen)
    return chosen


def struck_out(text: str) -> str:
    """Return the text without what looks like a secret."""
    for pattern, words in SECRETS:
        text = pattern.sub(words, text)
    return text


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return struck_out(super().format(record))


class _JsonLines(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return struck_out(super().format(record))


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True


def set_up(form: Literal["json", "text"], level: str) -> None:
    """Log to stderr from now on, in this form, from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    if form == "json":
        handler.setFormatter(
            _JsonLines(
                "{asctime}{levelname}{name}{message}{request_id}",
                style="{",
                datefmt="%Y-%m-%dT%H:%M:%S%z",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )
    else:
        handler.setFormatter(_TextLines("%(asctime)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
