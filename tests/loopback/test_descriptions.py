"""Descriptions that were changed on their way, or were never made by a program like ours."""

import re

import pytest

from signaling.errors import ConnectFailed
from signaling.peer import MOST_CANDIDATES, Peer

pytestmark = pytest.mark.network


def with_another_fingerprint(sdp: str) -> str:
    """The description as somebody in the middle would pass it on, with a certificate of its own."""
    return re.sub(r"(a=fingerprint:sha-\d+ )[0-9A-F:]+", lambda found: found[1] + ":".join(["AB"] * 32), sdp)


async def test_description_with_a_foreign_fingerprint_makes_no_connection() -> None:
    first, second = Peer(), Peer()
    try:
        answer = await second.answer(await first.offer())
        assert with_another_fingerprint(answer) != answer
        await first.accept(with_another_fingerprint(answer))
        with pytest.raises(ConnectFailed, match="expected a connection"):
            await first.wait_open(10)
        assert first.closed.is_set()
    finally:
        await first.close()
        await second.close()


async def test_description_with_thousands_of_candidates_is_refused() -> None:
    first, second = Peer(), Peer()
    try:
        offer = await first.offer()
        line = "a=candidate:1 1 udp 2130706431 192.0.2.1 9 typ host\r\n"
        with pytest.raises(ConnectFailed, match=f"expected at most {MOST_CANDIDATES} addresses"):
            await second.answer(offer + line * 5000)
    finally:
        await first.close()
        await second.close()
