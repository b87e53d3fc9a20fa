"""The same pieces of work as Ray tasks (extra `ray`). Clips travel with the tasks: nodes need no shared disk.

A node needs facewire with the same weights, and MediaPipe's environment, which it makes where it is not there.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from replay.compare.work import Result, Settings, Task, do_with_content
from replay.errors import CompareError

IN_FLIGHT_A_CPU: Final = 2
"""Tasks that wait on the cluster for each of its processors; the others wait here, so that little is held there."""


def run_on_ray(tasks: Sequence[Task], settings: Settings, address: str) -> Iterator[tuple[Task, Result | Exception]]:
    """Yield tasks with their results as they come from a Ray cluster.

    address: of the cluster, `auto` for the one of this machine. Raises CompareError where ray is not installed or
    nobody answers there.
    """
    try:
        import ray
    except ImportError:
        raise CompareError("--ray: expected ray, found none: pip install 'facewire[ray]'") from None
    begun = not ray.is_initialized()
    if begun:
        _connect(ray, address)
    try:
        work = ray.remote(num_cpus=1, runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}})(do_with_content)
        contents = {task.file: ray.put(task.file.path.read_bytes()) for task in tasks}
        waiting = iter(tasks)
        under_way: dict[Any, Task] = {}
        limit = IN_FLIGHT_A_CPU * max(1, int(_cpus(ray)))
        while True:
            while len(under_way) < limit and (task := next(waiting, None)) is not None:
                under_way[work.remote(task, contents[task.file], settings)] = task
            if not under_way:
                return
            (ready,), _ = ray.wait(list(under_way), num_returns=1)
            yield under_way.pop(ready), _result(ray, ready)
    finally:
        if begun:
            ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, RuntimeError, ValueError) as error:
        line = str(error).splitlines()[0]
        raise CompareError(f"--ray: expected a Ray cluster at {address}, found none ({line})") from None


def _cpus(ray: Any) -> float:
    """Processors of the whole cluster."""
    return float(ray.cluster_resources().get("CPU", 1))


def _result(ray: Any, ready: Any) -> Result | Exception:
    """What a task gave; an error of ours as it was raised there."""
    try:
        result: Result = ray.get(ready)
    except ray.exceptions.RayTaskError as error:
        cause = getattr(error, "cause", None)
        return cause if isinstance(cause, Exception) else RuntimeError(str(error))
    return result
