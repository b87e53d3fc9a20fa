"""All pieces of work: taken up where an earlier run stopped, on every core of this machine or on a Ray cluster."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from replay.compare.anchors import BY_NAME
from replay.compare.clip import ClipFile
from replay.compare.coding import available
from replay.compare.work import Result, Settings, Task, do, families, read_result, write_result
from replay.errors import CompareError, ReplayError

RESULTS: Final = "results"
Say = Callable[[str], None]
Finished = Iterator[tuple[Task, Result | Exception]]


@dataclass(frozen=True)
class Done:
    """Results by task, and what failed, in words."""

    results: dict[Task, Result]
    failed: tuple[str, ...]


def plan(
    files: Sequence[ClipFile], sizes: tuple[int, ...], wanted: Sequence[str] | None = None
) -> tuple[list[Task], list[str]]:
    """Pieces of work, most wanted first, and the families that cannot be had here.

    sizes: those that facewire renders. wanted: families by name, None for all. Raises CompareError for a name that is
    none.
    """
    known = families(sizes)
    for name in wanted or ():
        if name not in known:
            raise CompareError(f"--only: expected one of {', '.join(known)}, got {name!r}")
    chosen = [name for name in known if wanted is None or name in wanted]
    missing = [name for name in chosen if name in BY_NAME and not available(BY_NAME[name])]
    return [Task(file, name) for name in chosen if name not in missing for file in files], missing


def run(tasks: Sequence[Task], settings: Settings, out: Path, workers: int | None, ray: str | None, say: Say) -> Done:
    """Do what is not done yet, and return all results. workers: processes, None for one a core.

    A piece that fails is told and left out; the others go on. Results are kept as they come, so that a run that is
    stopped goes on where it was.
    """
    folder, about = out / RESULTS, settings.about()
    results = dict(done_before(tasks, settings, out).results)
    waiting = [task for task in tasks if task not in results]
    if results:
        say(f"{len(results)} of {len(tasks)} pieces of work were done before")
    failed = []
    for task, result in _shown(_started(waiting, settings, workers, ray), len(tasks), len(results)):
        if isinstance(result, Result):
            write_result(folder, task, result, about)
            results[task] = result
        elif isinstance(result, (ReplayError, OSError)):
            failed.append(f"{task.file.name}, {task.family}: {result}")
            say(failed[-1])
        else:
            raise result
    return Done({task: results[task] for task in tasks if task in results}, tuple(failed))


def done_before(tasks: Sequence[Task], settings: Settings, out: Path) -> Done:
    """Results that are there already."""
    folder, about = out / RESULTS, settings.about()
    kept = {task: read_result(folder, task, about) for task in tasks}
    return Done({task: result for task, result in kept.items() if result is not None}, ())


def _started(tasks: Sequence[Task], settings: Settings, workers: int | None, ray: str | None) -> Finished:
    if not tasks:
        return iter(())
    if ray is not None:
        from replay.compare.cluster import run_on_ray

        return run_on_ray(tasks, settings, ray)
    return _run_here(tasks, settings, workers or os.cpu_count() or 1)


def _run_here(tasks: Sequence[Task], settings: Settings, workers: int) -> Finished:
    """Processes of their own: fresh ones, since torch's threads do not survive a fork."""
    with _single_threads(), ProcessPoolExecutor(min(workers, len(tasks)), get_context("spawn")) as pool:
        futures: dict[Future[Result], Task] = {pool.submit(do, task, settings): task for task in tasks}
        try:
            for future in as_completed(futures):
                error = future.exception()
                yield futures[future], future.result() if error is None else _as_exception(error)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _as_exception(error: BaseException) -> Exception:
    if isinstance(error, Exception):
        return error
    raise error


@contextmanager
def _single_threads() -> Iterator[None]:
    """One thread a process, told before its libraries are loaded; as it was before, afterwards."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        os.environ.pop("OMP_NUM_THREADS")
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before


def _shown(finished: Finished, total: int, done: int) -> Finished:
    """A bar on stderr, where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("compare", total=total, completed=done)
        for task, result in finished:
            progress.update(bar, advance=1, description=f"{task.file.name}, {task.family}")
            yield task, result
