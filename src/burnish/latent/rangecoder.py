"""A binary range coder of whole numbers only, so that what one machine writes every other reads (after Martin, 1979).

A probability is that of a 0, in 256ths, from 1 to 255. Bytes beyond the end count as 0, so that zeros at the end need not be kept.
"""


class Encoder:
    """Takes bits with their probabilities; `finish` gives the shortest bytes that decode to them."""

    def __init__(self) -> None:
        self._low, self._range, self._bytes = 0, 0xFFFFFFFF, 4

    @property
    def length(self) -> int:
        """How many bytes there would be by now, or a few fewer."""
        return self._bytes

    def put(self, bit: int, probability: int) -> None:
        """Add a bit."""
        bound = (self._range >> 8) * probability
        if bit:
            self._low += bound
            self._range -= bound
        else:
            self._range = bound
        while self._range < 1 << 24:
            self._range <<= 8
            self._low <<= 8
            self._bytes += 1

    def put_number(self, number: int, bits: int) -> None:
        """Add a whole number of so many bits, all as likely."""
        for place in range(bits - 1, -1, -1):
            self.put(number >> place & 1, 128)

    def finish(self) -> bytes:
        """The bytes."""
        for zeros in range(8 * self._bytes, -1, -1):
            value = -(-self._low >> zeros) << zeros
            if value < self._low + self._range and value < 1 << 8 * self._bytes:
                return value.to_bytes(self._bytes, "big").rstrip(b"\0")
        raise AssertionError("an interval holds its own start")


class Decoder:
    """Gives back the bits of an Encoder, asked for with the same probabilities in the same order."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 4
        self._code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self._range = 0xFFFFFFFF

    def get(self, probability: int) -> int:
        """The next bit."""
        bound = (self._range >> 8) * probability
        bit = int(self._code >= bound)
        if bit:
            self._code -= bound
            self._range -= bound
        else:
            self._range = bound
        while self._range < 1 << 24:
            self._range <<= 8
            following = self._data[self._place] if self._place < len(self._data) else 0
            self._code = (self._code << 8 | following) & 0xFFFFFFFF
            self._place += 1
        return bit

    def get_number(self, bits: int) -> int:
        """The next whole number of so many bits."""
        number = 0
        for _ in range(bits):
            number = number << 1 | self.get(128)
        return number
