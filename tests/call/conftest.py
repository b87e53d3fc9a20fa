"""Fixtures of two-way calls."""

from collections.abc import AsyncIterator

import pytest

from models.weights import Model, build_model
from tests.signaling.running import running_server


@pytest.fixture(scope="session")
def tiny() -> Model:
    """Random networks of the smallest size."""
    return build_model("tiny")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A signaling server."""
    async with running_server() as address:
        yield address
