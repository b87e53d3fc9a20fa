"""network.py, hosting.py: a changed network is noticed, a server of our own has a free port."""

import pytest

from call.hosting import hosted_server
from call.network import NetworkWatch
from signaling.client import SignalingClient


@pytest.mark.parametrize(
    ("addresses", "changed"),
    [
        ([{"a"}, {"a"}], False),
        ([{"a"}, {"a", "b"}], False),
        ([{"a"}, {"b"}], True),
        ([{"a"}, set()], True),
        ([set(), {"a"}], True),
        ([set(), set()], False),
    ],
)
def test_network_changed_when_an_address_went_or_the_first_one_came(addresses: list[set[str]], changed: bool) -> None:
    looks = iter(frozenset(each) for each in addresses)
    assert NetworkWatch(lambda: next(looks)).changed() is changed


@pytest.mark.network
async def test_hosted_server_takes_another_port_where_the_usual_one_is_taken() -> None:
    async with hosted_server("127.0.0.1", 0) as first:
        port = int(first.rsplit(":", 1)[1])
        async with hosted_server("127.0.0.1", port) as second:
            assert first != second
            for url in (first, second):
                async with await SignalingClient.join(url, "r", "call") as client:
                    assert client.role == "callee"
