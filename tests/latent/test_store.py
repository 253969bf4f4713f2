import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from burnish.errors import InputError
from burnish.latent import store
from burnish.latent.store import Head, Writer

HEAD = Head("seed", "0123456789abcdef", [2, 3], "float32", [32, 32])
MODEL = ("seed", "0123456789abcdef")
NAMES = ["a.png", "sub/ü.png", "c\nd.png"]
ROWS = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
SIZES = [(480, 640), (32, 32), (1, 70_000)]


def written(target: Path) -> Path:
    writer = Writer(target, "here", MODEL)
    writer.add(HEAD, NAMES[:2], ROWS[:2], SIZES[:2])
    writer.add(HEAD, NAMES[2:], ROWS[2:], SIZES[2:])
    writer.finish()
    return target


@pytest.mark.parametrize("ending", [".npz", ".parquet"])
def test_what_is_written_is_read(tmp_path: Path, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    found = store.read(written(tmp_path / f"latents{ending}"))
    assert (found.head, found.paths) == (HEAD, NAMES)
    np.testing.assert_array_equal(found.latent, ROWS)
    np.testing.assert_array_equal(found.sizes, SIZES)
    assert [path.name for path in tmp_path.iterdir()] == [f"latents{ending}"]


def test_numpy_alone_reads_it(tmp_path: Path) -> None:
    with np.load(written(tmp_path / "latents.npz"), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["latent"], ROWS)
        np.testing.assert_array_equal(file["size"], SIZES)


def test_a_file_that_does_not_tell_the_images_sizes_is_read(tmp_path: Path) -> None:
    """As `burnish encode` wrote them before it kept sizes."""
    digest = hashlib.sha256("\n".join(NAMES).encode() + ROWS.tobytes()).hexdigest()
    head = HEAD.to_json() | {"kind": store.SIZELESS, "rows": 3, "checksum": digest}
    path = "\n".join(map(json.dumps, NAMES)).encode()
    np.savez(tmp_path / "old.npz", head=np.frombuffer(json.dumps(head).encode(), np.uint8), path=np.frombuffer(path, np.uint8), latent=ROWS)
    found = store.read(tmp_path / "old.npz")
    assert (found.paths, found.sizes) == (NAMES, None)


def test_a_stopped_run_is_gone_on_with_even_after_half_a_row(tmp_path: Path) -> None:
    target = tmp_path / "latents.npz"
    writer = Writer(target, "here", MODEL)
    writer.add(HEAD, NAMES[:2], ROWS[:2], SIZES[:2])
    writer.close()
    with (writer.folder / store.ROWS).open("ab") as rows:
        rows.write(b"half")
    with (writer.folder / store.DONE).open("a") as names:
        names.write('["c')
    again = Writer(target, "here", MODEL)
    assert again.done == NAMES[:2]
    again.add(HEAD, NAMES[2:], ROWS[2:], SIZES[2:])
    again.finish()
    np.testing.assert_array_equal(store.read(target).latent, ROWS)
    np.testing.assert_array_equal(store.read(target).sizes, SIZES)


def test_what_another_version_began_is_begun_anew(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "latents.npz", "here", MODEL)
    writer.add(HEAD, NAMES[:1], ROWS[:1], SIZES[:1])
    writer.close()
    head = writer.folder / store.HEAD
    head.write_text(head.read_text().replace(store.KIND, store.SIZELESS))
    assert Writer(tmp_path / "latents.npz", "here", MODEL).done == []


@pytest.mark.parametrize(("source", "model"), [("elsewhere", MODEL), ("here", ("seed", "another"))])
def test_another_model_or_source_begins_anew(tmp_path: Path, source: str, model: tuple[str, str]) -> None:
    writer = Writer(tmp_path / "latents.npz", "here", MODEL)
    writer.add(HEAD, NAMES[:1], ROWS[:1], SIZES[:1])
    writer.close()
    assert Writer(tmp_path / "latents.npz", source, model).done == []


def test_other_shapes_and_nothing_are_refused(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "latents.npz", "here", MODEL)
    with pytest.raises(InputError, match="no image could be encoded"):
        writer.finish()
    writer.add(HEAD, NAMES[:1], ROWS[:1], SIZES[:1])
    with pytest.raises(InputError, match="one size"):
        writer.add(Head("seed", "0123456789abcdef", [3, 3], "float32", [32, 32]), NAMES[1:2], np.zeros((1, 3, 3)), SIZES[1:2])
    writer.close()


@pytest.mark.parametrize("ending", [".npz", ".parquet"])
def test_damage_never_passes(tmp_path: Path, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    whole = written(tmp_path / f"latents{ending}").read_bytes()
    rng = np.random.default_rng(0)
    harmed = tmp_path / f"harmed{ending}"
    for _ in range(60):
        data = bytearray(whole)
        data[int(rng.integers(len(data)))] ^= int(rng.integers(1, 256))
        harmed.write_bytes(bytes(data))
        try:
            found = store.read(harmed)
        except InputError:
            continue
        np.testing.assert_array_equal(found.latent, ROWS)  # what was hit says nothing
        assert found.paths == NAMES
        np.testing.assert_array_equal(found.sizes, SIZES)
    for length in range(0, len(whole), max(1, len(whole) // 25)):
        harmed.write_bytes(whole[:length])
        with pytest.raises(InputError, match="harmed"):
            store.read(harmed)


def test_other_files_and_endings_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", latent=ROWS)
    with pytest.raises(InputError, match="holds no latents"):
        store.read(tmp_path / "other.npz")
    with pytest.raises(InputError, match=r"\.npz or \.parquet"):
        Writer(tmp_path / "latents.csv", "here", MODEL)
    with pytest.raises(InputError, match="cannot be read"):
        store.read(tmp_path / "nowhere.npz")
