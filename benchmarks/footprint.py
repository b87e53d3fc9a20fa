"""What a process holds: memory, open handles, threads, asyncio tasks. Linux, from /proc."""

import asyncio
import gc
import os
import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Footprint:
    """Of one moment. `rss_mb`: memory really there, in 1e6 B; `objects`: what Python's collector looks after."""

    rss_mb: float
    handles: int
    tasks: int
    threads: int
    objects: int

    @classmethod
    def now(cls) -> "Footprint":
        """Look at this process and its running loop, after a full collection: garbage is no leak."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(
            rss_mb=round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1),
            handles=len(os.listdir("/proc/self/fd")),
            tasks=len(asyncio.all_tasks()),
            threads=threading.active_count(),
            objects=len(gc.get_objects()),
        )


def handles() -> list[str]:
    """What each open handle is, in words of the kernel: to name what was left over."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:  # the handle with which the folder itself was read
            continue
    return sorted(found)


def growth(values: list[float], begin: int) -> float:
    """By what share the largest value after place `begin` lies over the one there; 0 where none does.

    Raises ValueError where nothing comes after it.
    """
    if len(values) <= begin + 1:
        raise ValueError(f"expected more than {begin + 1} values, got {len(values)}")
    return max(0.0, max(values[begin + 1 :]) / values[begin] - 1.0)


def thread_names() -> list[str]:
    """Every thread's name: to name what was left over."""
    return sorted(thread.name for thread in threading.enumerate())


async def fill_pool() -> None:
    """Start all threads of the running loop's own pool: they are few, come one by one, and stay as long as the loop."""
    most = min(32, (os.cpu_count() or 1) + 4)  # as ThreadPoolExecutor has it
    everybody_came = threading.Barrier(most)
    await asyncio.gather(*(asyncio.to_thread(everybody_came.wait, 10.0) for _ in range(most)))
