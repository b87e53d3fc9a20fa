"""Peers that save packets and peers that do not, over real sockets: they understand each other, lose, recover, end."""

import asyncio
import random

import pytest

from signaling.control_messages import CHUNK_BYTES, CHUNK_HEADER_BYTES
from signaling.peer import Peer
from tests.loopback.bad_network import BadNetwork
from tests.loopback.meeting import joined, until

pytestmark = pytest.mark.network
PAIRINGS = [(True, True), (True, False), (False, True), (False, False)]


async def send_300_kb_and_media_over_a_bad_network(first_tuned: bool, second_tuned: bool) -> None:
    networks = [BadNetwork(seed, loss=0.1, delay_s=(0.0, 0.005)) for seed in (1, 2)]
    first = Peer(impair=networks[0], tuned=first_tuned)
    second = Peer(impair=networks[1], tuned=second_tuned)
    async with joined(first, second):
        for network in networks:
            network.bad = True
        media: list[bytes] = []
        second.on_media = media.append
        whole = random.Random(5).randbytes(300_000)
        pieces = [whole[start : start + CHUNK_BYTES] for start in range(0, len(whole), CHUNK_BYTES)]

        async def send_control() -> None:
            for index, piece in enumerate(pieces):
                await first.control.send_chunk(index, piece)

        async def send_media() -> None:
            for number in range(60):
                first.send_media(number.to_bytes(2, "big"))
                await asyncio.sleep(0.02)

        async def take_control() -> bytes:
            chunks = [await second.control.receive(20) for _ in pieces]
            return b"".join(chunk[CHUNK_HEADER_BYTES:] for chunk in chunks if isinstance(chunk, bytes))

        _, _, got = await asyncio.gather(send_control(), send_media(), take_control())
        assert got == whole
        # as many as are not lost on the way, or given up because the network let three others overtake them
        await until(lambda: len(media) >= 30)
        assert len(set(media)) == len(media) < 60
        assert networks[1].lost > 10


async def test_pairs_of_every_kind_bring_control_through_loss_intact_beside_media() -> None:
    await asyncio.gather(*(send_300_kb_and_media_over_a_bad_network(*pairing) for pairing in PAIRINGS))


@pytest.mark.parametrize(("first_tuned", "second_tuned"), PAIRINGS)
async def test_media_one_way_the_receiver_decides_what_acknowledgements_cost(
    first_tuned: bool, second_tuned: bool
) -> None:
    first, second = Peer(tuned=first_tuned), Peer(tuned=second_tuned)
    async with joined(first, second):
        got: list[bytes] = []
        second.on_media = got.append
        await asyncio.sleep(0.3)  # nothing is owed any more from setting up
        there, back = first.tap.sent.packets, second.tap.sent.packets
        for _ in range(100):
            first.send_media(bytes(20))
            await asyncio.sleep(0.003)
        await until(lambda: len(got) == 100)
        await asyncio.sleep(0.3)
        assert 100 <= first.tap.sent.packets - there <= 102  # and now and then a STUN check
        acknowledgements = second.tap.sent.packets - back
        assert acknowledgements < 40 if second_tuned else acknowledgements >= 90


async def test_media_both_ways_acknowledgements_ride() -> None:
    first, second = Peer(tuned=True), Peer(tuned=True)
    async with joined(first, second):
        got: list[bytes] = []
        first.on_media = second.on_media = got.append
        await asyncio.sleep(0.3)
        packets, sent_bytes = first.tap.sent.packets, first.tap.sent.bytes
        for _ in range(50):
            first.send_media(bytes(20))
            second.send_media(bytes(20))
            await asyncio.sleep(0.01)
        await until(lambda: len(got) == 100)
        assert 50 <= first.tap.sent.packets - packets <= 75
        assert first.tap.sent.bytes - sent_bytes > 50 * (20 + 85)
