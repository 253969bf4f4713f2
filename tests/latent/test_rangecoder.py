from hypothesis import given
from hypothesis import strategies as st

from burnish.latent.rangecoder import Decoder, Encoder

BITS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 255)), max_size=600)


@given(BITS)
def test_what_is_put_is_got(bits: list[tuple[int, int]]) -> None:
    encoder = Encoder()
    for bit, probability in bits:
        encoder.put(bit, probability)
    decoder = Decoder(encoder.finish())
    assert [decoder.get(probability) for _, probability in bits] == [bit for bit, _ in bits]


def test_likely_bits_take_little_room() -> None:
    encoder = Encoder()
    for place in range(8000):
        encoder.put(int(place % 256 == 0), 255)  # as often as it says
    assert len(encoder.finish()) < 8000 / 8 * 0.045


def test_numbers_come_back() -> None:
    encoder = Encoder()
    for number in (0, 31, 17):
        encoder.put_number(number, 5)
    decoder = Decoder(encoder.finish())
    assert [decoder.get_number(5) for _ in range(3)] == [0, 31, 17]


@given(st.binary(max_size=64), st.lists(st.integers(1, 255), max_size=200))
def test_any_bytes_decode(data: bytes, probabilities: list[int]) -> None:
    decoder = Decoder(data)
    assert all(decoder.get(probability) in (0, 1) for probability in probabilities)
