"""limits.py: buckets fill with time, and hold a bounded number of names."""

import pytest

from signaling import limits
from signaling.limits import Rates, network_of, within


def test_rates_burst_then_as_fast_as_time_gives() -> None:
    rates = Rates(size=3, per_s=2)
    assert [rates.take("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert rates.take("b", 0.0)
    assert [rates.take("a", 0.5), rates.take("a", 0.5)] == [True, False]
    assert [rates.take("a", 100.0) for _ in range(4)] == [True, True, True, False]


def test_rates_memory_stays_flat_under_ever_new_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_NAMES", 100)
    rates = Rates(size=1, per_s=0.001)
    for index in range(1000):
        assert rates.take(str(index), 0.0)
        assert len(rates) <= 101
    assert not rates.take("999", 0.0)


def test_rates_names_that_are_full_again_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_NAMES", 3)
    rates = Rates(size=1, per_s=1)
    for name in "abc":
        rates.take(name, 0.0)
    rates.take("d", 10.0)
    assert len(rates) == 1


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a unix socket", "unknown"),
    ],
)
def test_network_of(address: str, name: str) -> None:
    assert network_of(address) == name


def test_within() -> None:
    assert within("10.1.2.3", ("127.0.0.1", "10.0.0.0/8"))
    assert within("::ffff:10.1.2.3", ("10.0.0.0/8",))
    assert not within("192.0.2.1", ("10.0.0.0/8", "fc00::/7"))
    assert not within("", ("0.0.0.0/0",))
