"""A timer that holds something back for a while."""

import asyncio
import math
from collections.abc import Callable


class Hold:
    """A timer that starts once and can be stopped; its function is called when it has run out."""

    def __init__(self, run_out: Callable[[], None]) -> None:
        self._run_out = run_out
        self._handle: asyncio.TimerHandle | None = None
        self.began_s = math.inf
        """When it was started, by the loop's clock; infinite while it is not running."""

    def start(self, hold_s: float) -> None:
        """Run out after so many seconds; one that runs already goes on as it is."""
        if self._handle is None:
            loop = asyncio.get_running_loop()
            self.began_s = loop.time()
            self._handle = loop.call_later(hold_s, self._ended)

    def stop(self) -> None:
        """Stop it, where it runs."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self.began_s = None, math.inf

    def _ended(self) -> None:
        self.stop()
        self._run_out()
