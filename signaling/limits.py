"""How often somebody may do something: buckets that fill with time. Plain; time is passed in."""

import ipaddress
from dataclasses import dataclass
from typing import Final

MOST_NAMES: Final = 20_000
"""Buckets held at most: whoever comes from ever new addresses must not fill our memory."""


@dataclass
class Bucket:
    """Holds up to `size` tokens, gets `per_s` a second; each thing that is done takes one."""

    size: float
    per_s: float
    level: float
    at_s: float

    def take(self, now_s: float) -> bool:
        """Take a token, if one is there."""
        self.level = self.level_at(now_s)
        self.at_s = now_s
        if self.level < 1:
            return False
        self.level -= 1
        return True

    def level_at(self, now_s: float) -> float:
        """Tokens that are there by then."""
        return min(self.size, self.level + (now_s - self.at_s) * self.per_s)


class Rates:
    """A bucket for each name; those that are full again are forgotten."""

    def __init__(self, size: float, per_s: float) -> None:
        self._size, self._per_s = max(1.0, size), per_s
        self._buckets: dict[str, Bucket] = {}

    def take(self, name: str, now_s: float) -> bool:
        """Whether this name may do it now."""
        bucket = self._buckets.pop(name, None) or Bucket(self._size, self._per_s, self._size, now_s)
        allowed = bucket.take(now_s)
        self._buckets[name] = bucket  # put last, so that those unused for longest come first
        if len(self._buckets) > MOST_NAMES:
            self._forget(now_s)
        return allowed

    def _forget(self, now_s: float) -> None:
        """Forget the full ones; where all are in use, the half that was unused for longest."""
        self._buckets = {name: each for name, each in self._buckets.items() if each.level_at(now_s) < self._size}
        if len(self._buckets) > MOST_NAMES:
            self._buckets = dict(list(self._buckets.items())[len(self._buckets) // 2 :])

    def __len__(self) -> int:
        """Names held."""
        return len(self._buckets)


def network_of(address: str) -> str:
    """Return what limits count by: the address, or in IPv6 its network of 64 bits, which is one customer's."""
    try:
        parsed = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def within(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks."""
    try:
        parsed = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return any((mapped or parsed) in ipaddress.ip_network(network) for network in networks)
