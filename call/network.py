"""Has this machine moved to another network? Its own addresses tell, sooner than silence does."""

from collections.abc import Callable

from aioice.ice import get_host_addresses


def host_addresses() -> frozenset[str]:
    """The addresses of this machine that a peer could reach."""
    return frozenset(get_host_addresses(use_ipv4=True, use_ipv6=True))


class NetworkWatch:
    """Compares addresses from look to look."""

    def __init__(self, addresses: Callable[[], frozenset[str]] = host_addresses) -> None:
        self._addresses = addresses
        self._last = addresses()

    def changed(self) -> bool:
        """Whether an address went away since the last look, or the first one came. More of them change nothing."""
        before, self._last = self._last, self._addresses()
        return bool(before - self._last) or (not before and bool(self._last))
