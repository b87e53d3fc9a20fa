"""Which store a server's settings ask for."""

from signaling.memory_rooms import MemoryRooms
from signaling.redis_rooms import RedisRooms
from signaling.room_store import RoomStore
from signaling.settings import SignalSettings


def open_store(settings: SignalSettings) -> RoomStore:
    """Make the store, to be entered. Raises SettingError where the address of Redis is none."""
    return MemoryRooms(settings) if settings.redis_url is None else RedisRooms(settings)
