"""Tasks that have an owner and an end."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


async def first_to_end(*coroutines: Coroutine[Any, Any, T]) -> T:
    """Run coroutines beside each other until the first one ends; cancel the others and wait until they have ended.

    Returns what the first returned or raises what it raised. Of several that end together the earlier argument counts,
    and an error of another one is raised rather than lost.
    """
    tasks = [asyncio.create_task(each, name=getattr(each, "__qualname__", None)) for each in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for task, outcome in zip(tasks, outcomes, strict=True):
        if isinstance(outcome, Exception) and task not in ended:
            raise outcome
    return ended[0].result()


async def for_ever() -> NoReturn:
    """Wait until cancelled."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets this event")
