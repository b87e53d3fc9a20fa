"""decode.py: bad messages are counted, never raised."""

import random

from codec.decoder import Decoder
from receiver.decode import CountingDecoder
from tests.receiver.motions import TABLES, encode


def test_decode_counts_good_and_bad() -> None:
    decoder = CountingDecoder(Decoder(TABLES))
    good = encode(3)
    noise = random.Random(1)
    bad = [b"", b"\x00", b"\xf1" + good[0][1:], good[0] + b"\x00", b"text", *(noise.randbytes(60) for _ in range(20))]
    assert [len(decoder.decode(message)) for message in good] == [1] * 3
    assert [decoder.decode(message) for message in bad] == [[]] * len(bad)
    assert (decoder.frames, decoder.bad_messages) == (6, len(bad))


def test_a_message_that_overtook_its_reference_is_read_after_it() -> None:
    decoder = CountingDecoder(Decoder(TABLES))
    first, second, third = encode(3)
    assert [one.sequence for one in decoder.decode(first)] == [0]
    assert decoder.decode(third) == []
    assert [one.sequence for one in decoder.decode(second)] == [1, 2]
    assert (decoder.frames, decoder.bad_messages, decoder.lacking_messages) == (6, 0, 1)
