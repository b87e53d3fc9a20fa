"""Rooms for a call that begins here: their names, and the address of this machine. RoomLink is what others join by."""

import secrets
import socket

from signaling.room_link import RoomLink as RoomLink


def new_room() -> str:
    """Choose a name that nobody guesses (72 bits)."""
    return secrets.token_urlsafe(9)


def own_address() -> str:
    """The address of this machine on its network, the loopback one where it has none. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: only the routing table is asked
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
