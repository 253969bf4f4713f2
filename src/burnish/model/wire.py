"""As much of ONNX's wire format as a model file needs, without the onnx package: its stored tensors are read, its metadata are replaced.

The format is protobuf's encoding (proto3); the numbers of fields are those of ONNX's onnx.proto.
Bounded and safe on hostile bytes: nothing is executed or allocated by what the file claims, only by what it holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

FLOAT = 1  # TensorProto.DataType
_GRAPH, _INITIALIZER = 7, 5  # ModelProto.graph, GraphProto.initializer
_METADATA, _KEY, _VALUE = 14, 1, 2  # ModelProto.metadata_props, StringStringEntryProto's
_DIMS, _DATA_TYPE, _NAME, _DATA_LOCATION = 1, 2, 8, 14  # TensorProto


@dataclass(frozen=True)
class Tensor:
    """A stored tensor: its name, shape and ONNX data type."""

    name: str
    shape: tuple[int, ...]
    data_type: int

    @property
    def size(self) -> int:
        return prod(self.shape)


def stored_tensors(data: bytes) -> list[Tensor]:
    """The initialisers of the model's graph. Raises ValueError for bytes that are no ONNX model or keep tensors in other files."""
    graphs = [value for field, value in _fields(memoryview(data)) if field == _GRAPH and isinstance(value, memoryview)]
    if len(graphs) != 1:
        raise ValueError("it holds no graph")
    return [_tensor(value) for field, value in _fields(graphs[0]) if field == _INITIALIZER and isinstance(value, memoryview)]


def with_metadata(data: bytes, key: str, value: str) -> bytes:
    """The model with the metadata `key` set to `value`, all other bytes as they are. Raises ValueError for bytes that are no ONNX model."""
    stored_tensors(data)
    kept, begin = [], 0
    for field, content, end in _placed_fields(memoryview(data)):
        own = field == _METADATA and isinstance(content, memoryview) and (_KEY, key.encode()) in [(f, bytes(c)) for f, c in _texts(content)]
        if not own:
            kept.append(data[begin:end])
        begin = end
    entry = b"".join(_written(number, text.encode()) for number, text in ((_KEY, key), (_VALUE, value)))
    return b"".join(kept) + _written(_METADATA, entry)


def _texts(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    return ((field, content) for field, content in _fields(data) if isinstance(content, memoryview))


def _written(field: int, content: bytes) -> bytes:
    """A field that holds bytes, as it stands in the file."""
    written = bytearray([field << 3 | 2])
    length = len(content)
    while length > 127:
        written.append(length & 127 | 128)
        length >>= 7
    return bytes(written) + bytes([length]) + content


def _tensor(data: memoryview) -> Tensor:
    name, data_type, shape = "", 0, []
    for field, value in _fields(data):
        if field == _DIMS:
            shape += [value] if isinstance(value, int) else list(_packed(value))
        elif field == _DATA_TYPE and isinstance(value, int):
            data_type = value
        elif field == _NAME and isinstance(value, memoryview):
            name = bytes(value).decode()
        elif field == _DATA_LOCATION and value:
            raise ValueError("it keeps its weights in another file")
    return Tensor(name, tuple(shape), data_type)


def _packed(data: memoryview) -> Iterator[int]:
    place = 0
    while place < len(data):
        value, place = _varint(data, place)
        yield value


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, value) of one message: integers as such, texts and messages as views."""
    return ((field, value) for field, value, _ in _placed_fields(data))


def _placed_fields(data: memoryview) -> Iterator[tuple[int, int | memoryview, int]]:
    """The same, and where in the message each ends."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        field, kind = key >> 3, key & 7
        if kind == 0:
            number, place = _varint(data, place)
            yield field, number, place
            continue
        if kind == 2:
            length, place = _varint(data, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError("it is not ONNX")
        if length > len(data) - place:
            raise ValueError("it is cut short")
        yield field, data[place : place + length], place + length
        place += length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ValueError("it is cut short")
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("it is not ONNX")


# --- A part of a graph ---

_NODE, _INPUT, _OUTPUT, _OPSET, _IR = 1, 11, 12, 8, 1  # GraphProto's, GraphProto's, GraphProto's, ModelProto's, ModelProto's
_NODE_INPUT, _NODE_OUTPUT, _VALUE_NAME = 1, 2, 1  # NodeProto's, NodeProto's, ValueInfoProto's


def part(data: bytes, begin: str, end: str) -> bytes:
    """The part of a model that leads from its input or output `begin` to its output `end`, as a model of its own, which takes `begin`.

    Raises ValueError for bytes that are no ONNX model, and where `end` needs more than `begin`.
    """
    model = list(_fields(memoryview(data)))
    graph = next((value for field, value in model if field == _GRAPH and isinstance(value, memoryview)), None)
    if graph is None:
        raise ValueError("it holds no graph")
    nodes, weights, ends, inputs = [], {}, {}, set()
    for field, value in _texts(graph):
        if field == _NODE:
            nodes.append(value)
        elif field == _INITIALIZER:
            weights[_tensor(value).name] = value
        elif field in (_INPUT, _OUTPUT):
            name = next(bytes(text).decode() for kind, text in _texts(value) if kind == _VALUE_NAME)
            ends[name] = value
            if field == _INPUT:
                inputs.add(name)
    if begin not in ends or end not in ends.keys() - inputs:
        raise ValueError(f"it has no {begin} or gives no {end}")
    chosen, used = _needed(nodes, {begin}, {end}, inputs)
    parts = [_written(_NODE, bytes(node)) for node in chosen] + [_written(2, b"part")]
    parts += [_written(_INITIALIZER, bytes(weights[name])) for name in weights if name in used]
    parts += [_written(_INPUT, bytes(ends[begin])), _written(_OUTPUT, bytes(ends[end]))]
    version = next(value for field, value in model if field == _IR and isinstance(value, int))
    opsets = b"".join(_written(_OPSET, bytes(value)) for field, value in model if field == _OPSET and isinstance(value, memoryview))
    return bytes([_IR << 3, version]) + opsets + _written(_GRAPH, b"".join(parts))


def _needed(nodes: list[memoryview], given: set[str], wanted: set[str], inputs: set[str]) -> tuple[list[memoryview], set[str]]:
    """The nodes, in their order, that make what is wanted of what is given, and the names of all that they take."""
    chosen: list[memoryview] = []
    used: set[str] = set()
    wanted = wanted - given
    for node in reversed(nodes):
        names = {kind: [bytes(text).decode() for field, text in _texts(node) if field == kind] for kind in (_NODE_INPUT, _NODE_OUTPUT)}
        if wanted & set(names[_NODE_OUTPUT]):
            chosen.append(node)
            wanted = (wanted - set(names[_NODE_OUTPUT])) | (set(names[_NODE_INPUT]) - given)
            used |= set(names[_NODE_INPUT])
    if wanted & inputs:
        raise ValueError("its image needs more than its latent: the network has a way around its bottleneck")
    return chosen[::-1], used


def with_inputs_of(data: bytes, weights: Sequence[str]) -> bytes:
    """The model with more outputs: after its own, for each of these stored tensors, what the node that it belongs to takes.

    Raises ValueError for bytes that are no ONNX model, and where no node uses such a tensor.
    """
    stored_tensors(data)
    parts, begin = [], 0
    for field, content, end in _placed_fields(memoryview(data)):
        if field == _GRAPH and isinstance(content, memoryview):
            nodes = [node for kind, node in _texts(content) if kind == _NODE]
            inputs = [[bytes(text).decode() for kind, text in _texts(node) if kind == _NODE_INPUT] for node in nodes]
            taken = [next((names[0] for names in inputs if weight in names[1:]), "") for weight in weights]
            if not all(taken):
                raise ValueError(f"it has no layer with the weights {weights[taken.index('')]}")
            outputs = [_written(_OUTPUT, _written(_VALUE_NAME, name.encode())) for name in taken]
            parts.append(_written(_GRAPH, bytes(content) + b"".join(outputs)))
        else:
            parts.append(data[begin:end])
        begin = end
    return b"".join(parts)
