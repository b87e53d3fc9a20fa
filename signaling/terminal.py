"""What the person at the keyboard sees and presses: Ctrl-C, the progress line, the report file."""

import asyncio
import json
import logging
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from OpenSSL import SSL
from rich.console import Console
from rich.live import Live
from rich.text import Text

from signaling.tasks import for_ever

log = logging.getLogger("facewire.terminal")
T = TypeVar("T")

REFRESH_S = 0.25


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program. Ctrl-C and SIGTERM both cancel it, let it clean up, and end in KeyboardInterrupt."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with asyncio.Runner() as runner:
            runner.get_loop().set_exception_handler(_report_stray_error)
            return runner.run(main)
    finally:
        signal.signal(signal.SIGTERM, before)


def _report_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report an error that no task waited for, except aiortc's own last packet.

    A retransmission timer that runs out while the connection closes makes aiortc 1.16 write to a DTLS session that is
    shut down, in a task of its own. The call is over then, and a traceback on the screen would only frighten.
    """
    task, error = context.get("future"), context.get("exception")
    code = getattr(task.get_coro(), "cr_code", None) if isinstance(task, asyncio.Task) else None
    if code is not None and "aiortc" in code.co_filename and isinstance(error, SSL.Error | ConnectionError):
        log.debug("aiortc wrote to a closed connection", exc_info=error)
    else:
        loop.default_exception_handler(context)


async def show_progress(line: Callable[[], str]) -> NoReturn:
    """Redraw one line on stderr until cancelled; silent where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        await for_ever()
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while True:
            live.update(Text(line(), no_wrap=True, overflow="ellipsis"), refresh=True)
            await asyncio.sleep(REFRESH_S)


def write_report(path: Path | None, report: dict[str, Any]) -> None:
    """Write a program's figures as JSON, if somebody wants them. Raises OSError."""
    if path is not None:
        path.write_text(json.dumps(report, indent=2) + "\n")
