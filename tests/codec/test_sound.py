"""sound.py: packets of sound in a media message, and out again once each."""

import random

import pytest

from codec.errors import SoundError
from codec.sound import SoundOrder, SoundPacket, pack_sound, unpack_sound


@pytest.mark.parametrize("near", [-9000, -100, 0, 100, 8000])
def test_section_gives_the_packets_back_at_any_time_nearby(near: int) -> None:
    packets = [SoundPacket(120_000 + 60 * index, bytes([index]) * (10 + index)) for index in range(4)]
    packets = [packets[0], packets[2], packets[3]]  # one was silence
    section = pack_sound(packets)
    assert unpack_sound(section, packets[-1].time_ms + max(near, -8000)) == packets
    assert len(section) == sum(len(packet.opus) for packet in packets) + 2 + 2 * 2


def test_section_of_one_packet_costs_two_bytes_and_of_none_nothing() -> None:
    assert len(pack_sound([SoundPacket(5, b"abc")])) == 5
    assert pack_sound([]) == b""


@pytest.mark.parametrize("opus", [b"", b"x" * 256])
def test_pack_refuses_what_is_no_packet(opus: bytes) -> None:
    with pytest.raises(SoundError, match="expected Opus packets of 1 to 255 bytes"):
        pack_sound([SoundPacket(0, opus)])


def test_unpack_any_bytes_give_packets_or_a_sound_error() -> None:
    chance = random.Random(5)
    for _ in range(3000):
        section = chance.randbytes(chance.randrange(12))
        try:
            packets = unpack_sound(section, chance.randrange(1 << 20))
        except SoundError:
            continue
        assert all(packet.opus for packet in packets)
        times = [packet.time_ms for packet in packets]
        assert times == sorted(times)


def test_order_numbers_by_time_and_gives_each_packet_once() -> None:
    order = SoundOrder()

    def take(time_ms: int) -> int | None:
        return order.take(SoundPacket(time_ms, b"x"))

    assert [take(1000), take(1060), take(1060), take(1241), take(1120)] == [0, 1, None, 4, 2]
    assert order.repaired == 1
    assert take(1000 + 60 * 200) == 200
    assert take(1300) is None  # far too late


@pytest.mark.parametrize(
    ("times_ms", "told"),
    [
        ([900, 1000, 400], [400]),  # a clock that was set back
        ([400, 1000, 460], [400, 460]),
        ([1000, 1000], [1000]),
        ([1000, 1060, 9000], [9000]),
        ([0, 5080], [0, 5080]),
        ([0, 5100], [5100]),
    ],
)
def test_times_that_no_section_can_tell_are_left_out(times_ms: list[int], told: list[int]) -> None:
    section = pack_sound([SoundPacket(time_ms, b"opus") for time_ms in times_ms])
    assert [packet.time_ms for packet in unpack_sound(section, times_ms[-1])] == told


def test_any_times_make_a_section() -> None:
    chance = random.Random(3)
    for _ in range(2000):
        packets = [SoundPacket(chance.randrange(20_000), b"x") for _ in range(chance.randrange(1, 7))]
        told = unpack_sound(pack_sound(packets), packets[-1].time_ms)
        assert told[-1] == packets[-1]
        times = [one.time_ms for one in told]
        assert times == sorted(times)
