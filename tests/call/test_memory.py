"""memory.py with the real allocator: what was freed between pieces that stay goes back to the system."""

import sys

import numpy as np
import pytest

from benchmarks.footprint import Footprint
from call.memory import give_back

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc_trim")


async def test_freed_memory_between_what_stays_goes_back() -> None:
    pieces = [np.ones(8000, np.uint8) for _ in range(8000)]  # 64 MB, small enough for the heap
    full = Footprint.now().rss_mb
    kept = pieces[::40]
    pieces.clear()
    give_back()
    assert Footprint.now().rss_mb < full - 40
    assert all(piece.all() for piece in kept)
