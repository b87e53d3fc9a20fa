"""decode.py: bad messages are counted, never raised."""

import random

from codec.decoder import Decoder
from receiver.decode import CountingDecoder
from tests.receiver.motions import TABLES, encode


def test_decode_counts_good_and_bad() -> None:
    decoder = CountingDecoder(Decoder(TABLES))
    good = encode(3)
    noise = random.Random(1)
    bad = [b"", b"\x00", b"\xf2" + good[0][1:], good[0] + b"\x00", b"text", *(noise.randbytes(60) for _ in range(20))]
    assert [message is None for message in map(decoder.decode, good)] == [False] * 3
    assert [message is None for message in map(decoder.decode, bad)] == [True] * len(bad)
    assert (decoder.frames, decoder.bad_messages) == (6, len(bad))
