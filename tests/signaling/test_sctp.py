"""sctp.py on a clock that jumps: every packet is seen, every loss is chosen."""

import asyncio
import random

import pytest
from aiortc.rtcsctptransport import (
    SCTP_MAX_PACKET_LENGTH,
    USERDATA_MAX_LENGTH,
    Chunk,
    DataChunk,
    ForwardTsnChunk,
    RTCSctpCapabilities,
    SackChunk,
)
from aiortc.utils import uint32_gt

from signaling.sctp import FORWARD_HOLD_S, SACK_HOLD_S, TunedSctp
from tests.signaling.sctp_pair import End, Line, Packet, pair, run, seeded_loss, talk

PAIRINGS = [(True, True), (True, False), (False, True), (False, False)]


def alone(packets: list[Packet], kind: type[Chunk]) -> list[Packet]:
    """Packets that carry one chunk of this kind and no data."""
    return [packet for packet in packets if packet.has(kind) and not packet.has(DataChunk)]


def control_chunks(packets: list[Packet]) -> list[DataChunk]:
    """Chunks of the control channel in these packets."""
    return [
        chunk for packet in packets for chunk in packet.chunks if isinstance(chunk, DataChunk) and not chunk.stream_id
    ]


def now_s() -> float:
    """Read the loop's clock."""
    return asyncio.get_running_loop().time()


def quiet(end: End) -> bool:
    """Whether nothing is in flight, owed or missing at this end."""
    sctp = end.sctp
    return not (sctp._sent_queue or sctp._outbound_queue or sctp._sack_misordered or sctp._flight_size)


@pytest.mark.parametrize(("first", "second"), PAIRINGS)
def test_control_300_kb_arrive_intact_and_in_order_with_loss_both_ways(first: bool, second: bool) -> None:
    async def main() -> None:
        losses = seeded_loss(1, 0.1), seeded_loss(2, 0.1)
        async with pair(first, second, 0.1, *losses) as (one, two):
            messages = [random.Random(index).randbytes(12000) for index in range(25)]
            begin_s = now_s()
            for message in messages:
                one.control.send(message)
            while len(two.control_in) < len(messages):
                assert now_s() < begin_s + 300, f"stuck after {len(two.control_in)} messages"
                await asyncio.sleep(0.1)
            assert [message for _, message in two.control_in] == messages
            await asyncio.sleep(3)
            assert quiet(one)

    run(main)


def test_control_crosses_a_good_line_as_fast_as_with_stock() -> None:
    def seconds(tuned: bool) -> float:
        async def main() -> float:
            async with pair(tuned, tuned, 0.1) as (one, two):
                begin_s = now_s()
                one.control.send(bytes(25000))
                while not two.control_in:  # noqa: ASYNC110, virtual time
                    await asyncio.sleep(0.001)
                return two.control_in[0][0] - begin_s

        return run(main)

    assert seconds(tuned=True) <= seconds(tuned=False)


@pytest.mark.parametrize(("first", "second"), PAIRINGS)
@pytest.mark.parametrize(("loss", "rtt_s"), [(0.1, 0.3), (0.3, 0.1)])
def test_media_what_is_not_lost_arrives_at_once_and_what_is_lost_is_forgotten(
    first: bool, second: bool, loss: float, rtt_s: float
) -> None:
    async def main() -> None:
        losses = seeded_loss(3, loss), seeded_loss(4, loss)
        async with pair(first, second, rtt_s, *losses) as (one, two):
            begin_s = now_s()
            await talk(one, two, seconds=30)
            for sender, receiver in ((one, two), (two, one)):
                arrived = {
                    chunk.tsn
                    for packet in sender.line.since(begin_s)
                    for chunk in packet.chunks
                    if isinstance(chunk, DataChunk) and not packet.lost
                }
                assert len(receiver.media_in) == len(arrived) > 250
                assert quiet(sender)
                for at_s, message in receiver.media_in:  # none waited for another, nor for the window
                    assert at_s - begin_s - int.from_bytes(message[:4], "big") * 0.06 < rtt_s / 2 + 0.001

    run(main)


@pytest.mark.parametrize(("message_bytes", "each_s"), [(20, 0.06), (228, 0.06)])
def test_media_of_every_size_never_waits_for_the_window_with_loss(message_bytes: int, each_s: float) -> None:
    async def main() -> None:
        async with pair(True, True, 0.3, seeded_loss(5, 0.2), seeded_loss(6, 0.2)) as (one, two):
            begin_s = now_s()
            await talk(one, two, seconds=60, message_bytes=message_bytes, each_s=each_s)
            late = [
                at_s
                for at_s, message in two.media_in
                if at_s - begin_s - int.from_bytes(message[:4], "big") * each_s > 0.16
            ]
            assert len(late) <= 0.002 * len(two.media_in)

    run(main)


def test_sack_of_one_message_leaves_alone_when_held_long_enough() -> None:
    async def main() -> None:
        async with pair() as (one, two):
            begin_s = now_s()
            one.media.send(bytes(20))
            await asyncio.sleep(2)
            (packet,) = two.line.since(begin_s)
            assert packet.size_bytes == 28
            assert packet.at_s - begin_s == pytest.approx(SACK_HOLD_S)
            assert quiet(one)

    run(main)


def test_sack_one_way_five_a_second_at_most() -> None:
    async def main() -> None:
        async with pair() as (one, two):
            begin_s = now_s()
            await talk(one, seconds=12)
            assert 40 <= len(two.line.since(begin_s)) <= 60

    run(main)


def test_sack_both_ways_rides_on_every_third_message_and_never_leaves_alone() -> None:
    async def main() -> None:
        async with pair(rtt_s=0.1) as (one, two):
            begin_s = now_s()
            await talk(one, two, seconds=12)
            packets = [packet for packet in two.line.since(begin_s) if packet.at_s < begin_s + 11.9]
            assert alone(packets, SackChunk) == []
            assert all(isinstance(packet.chunks[-1], DataChunk) for packet in packets)
            assert 60 <= sum(packet.has(SackChunk) for packet in packets) <= 110  # of 200

    run(main)


def test_sack_of_control_second_message_and_piece_at_once_first_one_held() -> None:
    async def main() -> None:
        async with pair() as (one, two):
            begin_s = now_s()
            one.control.send(b"one")
            await asyncio.sleep(0.1)
            assert two.line.since(begin_s) == []
            one.control.send(b"two")
            await asyncio.sleep(0.01)
            assert len(two.line.since(begin_s)) == 1
            begin_s = now_s()
            one.control.send(bytes(2 * USERDATA_MAX_LENGTH))
            await asyncio.sleep(0.01)
            assert len(two.line.since(begin_s)) == 2

    run(main)


def test_sack_that_is_lost_is_sent_again_at_once_when_the_message_comes_twice() -> None:
    async def main() -> None:
        lost = [True]
        async with pair(second_loses=lambda at_s, chunks: bool(lost) and lost.pop()) as (one, two):
            one.control.send(b"hello")
            await asyncio.sleep(5)
            assert [message for _, message in two.control_in] == [b"hello"]
            sent = [packet for packet in one.line.packets if control_chunks([packet])]
            answers = [packet for packet in two.line.packets if packet.at_s >= sent[0].at_s]
            assert len(sent) == 2
            assert answers[-1].at_s == pytest.approx(sent[-1].at_s, abs=0.001)
            assert quiet(one)

    run(main)


def lone_control_loss(tuned: bool, both_ways: bool, rtt_s: float) -> tuple[float, int]:
    """Lose one control message amid media; returns seconds until it has come and how often it was sent."""

    async def main() -> tuple[float, int]:
        lost = [True]

        def loses(at_s: float, chunks: list[Chunk]) -> bool:
            return any(isinstance(chunk, DataChunk) and not chunk.stream_id for chunk in chunks) and bool(
                lost and lost.pop()
            )

        async with pair(tuned, tuned, rtt_s, loses) as (one, two):
            begin_s = now_s()
            talking = asyncio.create_task(talk(one, *([two] if both_ways else []), seconds=8))
            await asyncio.sleep(2)
            sent_s = now_s()
            one.control.send(b"hello")
            await talking
            assert len(two.control_in) == 1
            return two.control_in[0][0] - sent_s, len(control_chunks(one.line.since(begin_s)))

    return run(main)


@pytest.mark.parametrize("both_ways", [True, False])
@pytest.mark.parametrize("rtt_s", [0.0, 0.1, 0.3])
def test_control_lost_amid_media_is_sent_again_once_without_waiting_for_t3(both_ways: bool, rtt_s: float) -> None:
    seconds, times = lone_control_loss(True, both_ways, rtt_s)
    assert times == 2
    # three packets overtake it, the SACK that says so is held, and a way each to hear of it and to bring it
    assert seconds < 3 * 0.06 + SACK_HOLD_S + 1.5 * rtt_s + 0.06


def test_control_lost_with_nothing_after_it_comes_by_t3() -> None:
    async def main() -> None:
        lost = [True]
        async with pair(rtt_s=0.1, first_loses=lambda at_s, chunks: bool(lost) and lost.pop()) as (one, two):
            begin_s = now_s()
            one.control.send(b"hello")
            await asyncio.sleep(5)
            assert two.control_in[0][0] - begin_s < 3.2  # RTO before its first measurement is 3 s

    run(main)


@pytest.mark.parametrize("second", [True, False])  # stock answers each packet, and each answer asks for one more
def test_forward_tsn_at_most_one_each_200_ms_and_on_data_where_there_is_any(second: bool) -> None:
    async def main() -> None:
        async with pair(True, second, 0.3, seeded_loss(7, 0.2)) as (one, _):
            begin_s = now_s()
            await talk(one, seconds=30)
            packets = [packet for packet in one.line.since(begin_s) if packet.at_s < begin_s + 29.9]
            times_s = [packet.at_s for packet in packets if packet.has(ForwardTsnChunk)]
            assert len(times_s) > 50
            assert min(after - before for before, after in zip(times_s, times_s[1:], strict=False)) >= FORWARD_HOLD_S
            assert alone(packets, ForwardTsnChunk) == []

    run(main)


@pytest.mark.parametrize("rtt_s", [0.3, 0.35, 0.39])
def test_forward_tsn_is_not_repeated_once_it_has_arrived(rtt_s: float) -> None:
    async def main() -> None:
        lost = [True]
        times_s: list[tuple[float, bool]] = []

        def loses(at_s: float, chunks: list[Chunk]) -> bool:
            for chunk in chunks:
                if isinstance(chunk, ForwardTsnChunk):
                    times_s.append((at_s, uint32_gt(chunk.cumulative_tsn, one.sctp._last_sacked_tsn)))
            return bool(lost) and lost.pop()

        async with pair(True, False, rtt_s, loses) as (one, _):
            await talk(one, seconds=3)
            assert 1 <= len(times_s) <= 3  # it takes one round trip to hear that it has
            assert all(needed for _, needed in times_s)

    run(main)


def test_forward_tsn_leaves_alone_where_no_data_follows() -> None:
    async def main() -> None:
        lost = [True]
        async with pair(rtt_s=0.1, first_loses=lambda at_s, chunks: bool(lost) and lost.pop()) as (one, two):
            begin_s = now_s()
            one.media.send(bytes(20))
            await asyncio.sleep(6)
            (packet,) = alone(one.line.since(begin_s), ForwardTsnChunk)
            assert packet.size_bytes == 20
            assert two.media_in == []
            assert one.sctp._advanced_peer_ack_tsn == one.sctp._last_sacked_tsn
            assert quiet(one)

    run(main)


def wire(tuned: bool, loss: float, rtt_s: float, both_ways: bool) -> tuple[int, int]:
    """Bytes and packets there and back of 30 s of motion messages, with 65 B a packet of IP, UDP and DTLS."""

    async def main() -> tuple[int, int]:
        async with pair(tuned, tuned, rtt_s, seeded_loss(8, loss), seeded_loss(9, loss)) as (one, two):
            begin_s = now_s()
            await talk(one, *([two] if both_ways else []), seconds=30)
            packets = one.line.since(begin_s) + two.line.since(begin_s)
            return sum(packet.size_bytes + 65 for packet in packets), len(packets)

    return run(main)


@pytest.mark.parametrize("both_ways", [True, False])
@pytest.mark.parametrize(("loss", "rtt_s"), [(0.0, 0.0), (0.1, 0.3)])
def test_acknowledgements_cost_less_than_with_stock(loss: float, rtt_s: float, both_ways: bool) -> None:
    plain_bytes, plain_packets = wire(False, loss, rtt_s, both_ways)
    tuned_bytes, tuned_packets = wire(True, loss, rtt_s, both_ways)
    messages = 1000 if both_ways else 500
    assert tuned_packets - messages < 0.4 * (plain_packets - messages)
    assert tuned_bytes < (0.6 if both_ways else 0.75) * plain_bytes


def test_rto_is_not_blown_up_by_what_a_gap_held_back() -> None:
    async def main() -> None:
        async with pair(rtt_s=0.3, first_loses=seeded_loss(10, 0.2), second_loses=seeded_loss(11, 0.2)) as (one, two):
            await talk(one, two, seconds=30)
            assert one.sctp._rto == 1.0
            assert 0.3 <= (one.sctp._srtt or 0) < 0.55

    run(main)


def test_t3_keeps_the_window_for_media_and_shrinks_it_for_control() -> None:
    async def main(reliable: bool) -> int:
        async with pair(first_loses=lambda at_s, chunks: True) as (one, _):
            (one.control if reliable else one.media).send(bytes(20))
            await asyncio.sleep(3.5)
            return one.sctp._cwnd

    assert run(lambda: main(False)) == 3 * USERDATA_MAX_LENGTH
    assert run(lambda: main(True)) == USERDATA_MAX_LENGTH


def test_silence_of_an_hour_costs_nothing_and_ends_with_the_next_message() -> None:
    async def main() -> None:
        async with pair(rtt_s=0.1) as (one, two):
            await talk(one, two, seconds=3)
            begin_s = now_s()
            await asyncio.sleep(3600)
            assert one.line.since(begin_s) == two.line.since(begin_s) == []
            one.control.send(b"still there?")
            await asyncio.sleep(1)
            assert two.control_in[-1][1] == b"still there?"

    run(main)


def test_outage_ends_and_media_flow_again_at_once() -> None:
    async def main() -> None:
        begin_s = now_s()

        def out(at_s: float, chunks: list[Chunk]) -> bool:
            return 5 < at_s - begin_s < 25

        async with pair(rtt_s=0.1, first_loses=out, second_loses=out) as (one, two):
            await talk(one, two, seconds=30)
            times_s = [at_s - begin_s for at_s, _ in two.media_in]
            gap_end_s = min(time_s for time_s in times_s if time_s > 10)
            assert gap_end_s < 25 + 1.1  # T3 at most, where the window was full
            assert quiet(one)
            assert quiet(two)

    run(main)


def test_abort_of_the_other_side_is_not_answered_with_a_held_sack() -> None:
    async def main() -> None:
        async with pair() as (one, two):
            begin_s = now_s()
            one.media.send(bytes(20))
            await asyncio.sleep(0.05)
            await one.sctp.stop()
            await asyncio.sleep(5)
            assert two.sctp.state == "closed"
            assert two.line.since(begin_s) == []

    run(main)


def test_sack_never_makes_a_packet_longer_than_it_may_be() -> None:
    async def main() -> None:
        async with pair() as (one, two):
            begin_s = now_s()
            one.media.send(bytes(20))
            await asyncio.sleep(0.15)  # two's SACK may ride by now
            two.media.send(bytes(USERDATA_MAX_LENGTH))
            await asyncio.sleep(0.01)
            packets = two.line.since(begin_s)
            assert [packet.has(SackChunk) for packet in packets] == [False]
            await asyncio.sleep(1)
            packets = two.line.since(begin_s)
            assert max(packet.size_bytes for packet in packets) <= SCTP_MAX_PACKET_LENGTH
            assert len(alone(packets, SackChunk)) == 1

    run(main)


def test_stop_with_a_held_sack_leaves_no_timer_and_says_nothing_more() -> None:
    async def main() -> None:
        async with pair(first_loses=seeded_loss(1, 0.5)) as (one, two):
            for _ in range(5):
                one.media.send(bytes(20))
                await asyncio.sleep(0.02)
            await one.sctp.stop()
            await two.sctp.stop()
            await asyncio.sleep(0.001)
            begin_s = now_s()
            await asyncio.sleep(10)
            assert one.line.since(begin_s) == two.line.since(begin_s) == []
            assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main)


def test_start_after_stop_does_not_begin() -> None:
    async def main() -> None:
        async with pair() as (one, _):
            late = TunedSctp(Line("client", 0.0, one.line.loses))
            await late.stop()
            await late.start(RTCSctpCapabilities(65536), 5000)
            await asyncio.sleep(10)
            assert late.transport.packets == []  # type: ignore[attr-defined]
            assert late.state == "closed"

    run(main)


def test_send_on_a_line_that_is_gone_is_a_lost_packet() -> None:
    async def main() -> None:
        problems: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
        async with pair() as (one, _):
            one.line.state = "closed"
            one.media.send(bytes(20))
            await asyncio.sleep(4)
        assert problems == []

    run(main)
