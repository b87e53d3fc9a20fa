"""Fixtures of whole calls."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.weights import Model, build_model
from tests.sender.clips import make_clip
from tests.signaling.running import running_server


@pytest.fixture(scope="session")
def tiny() -> Model:
    """Random networks of the smallest size."""
    return build_model("tiny")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of one second."""
    return make_clip(tmp_path_factory.mktemp("clips") / "short.mp4", frames=25, rate=25)


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that outlasts every test."""
    return make_clip(tmp_path_factory.mktemp("clips") / "long.mp4", frames=1500, rate=25)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A signaling server."""
    async with running_server() as address:
        yield address
