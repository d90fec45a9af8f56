"""A layer that came uncompressed gives the very same tar again, whatever is in it."""

from __future__ import annotations

import os
import random
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from podpy.errors import DigestMismatchError, ImageError, StorageError
from podpy.image.outgoing.layer_source import compress, outgoing_layers
from podpy.storage.images import ImageRecord
from podpy.storage.layers import recipe
from podpy.storage.store import Store
from tests.storage.stores import own_store
from tests.storage.tars import Tar, digest
from tests.storage.test_fuzz import damage
from tests.storage.userns import in_userns, own_directory

SECONDS = float(os.environ.get("PODPY_FUZZ_SECONDS", "6")) / 4
ODD_NAME = "caf\udce9"


def sparse_tars() -> Iterator[bytes]:
    """Yield a sparse file in each of GNU tar's formats."""
    with own_directory() as place:
        with (place / "sparse").open("wb") as file:
            for piece in range(30):
                file.seek(piece * 40_000)
                file.write(b"data")
            file.truncate(5_000_000)
        for options in ("gnu -S", "posix -S --sparse-version=0.0", "posix -S --sparse-version=0.1", "posix -S"):
            command = ["tar", "-cf-", "-C", place, "--format", *options.split(), "sparse"]
            yield subprocess.run(command, check=True, capture_output=True).stdout


def odd_tar(format: int = tarfile.PAX_FORMAT) -> Tar:
    headers = {"SCHILY.xattr.user.x": "y", "mtime": "1.5", "comment": "nobody reads this"}
    tar = Tar(format).directory("./").directory("d", mode=0o2755).file("d/f", b"f" * 700, pax_headers=headers)
    tar.hardlink("h", "d/f").symlink("s", "d").file("s/through-a-link", b"g" * 1500).hardlink("i", "s/through-a-link")
    tar.file("d/.wh.gone", b"").file("d/.wh..wh..opq", b"").file(".wh.again").file("again", b"a whiteout was here")
    tar.file("n" * 200, b"long name").file(ODD_NAME, b"no UTF-8").file("empty", b"").file("secret", b"x" * 99, mode=0)
    tar.add("null", tarfile.CHRTYPE, devmajor=1, devminor=3).add("pipe", tarfile.FIFOTYPE)
    tar.file(".wh.with-content", b"c" * 600).file(".wh..wh.aufs", b"aufs")
    return tar.file("big", os.urandom(1 << 10) * 3000).file("exact", b"e" * 512)


def commit(store: Store, *tars: bytes) -> ImageRecord:
    """Commit an image as a load of a docker-archive does: no blob is kept."""
    layers, chain = [], []
    for data in tars:
        parent = chain[-1] if chain else ""
        chain.append(digest(f"{parent} {digest(data)}".encode()) if parent else digest(data))
        layer = store.begin_layer(chain_id=chain[-1], parent=parent, diff_id=digest(data))
        for start in range(0, len(data), 100_000):
            layer.write(data[start : start + 100_000])
        layer.finish()
        if layer.lost_tar:
            layer.keep_tar([data])
        layers.append(layer)
    record = ImageRecord(id="a" * 64, config=b"{}", layers=chain)
    return store.commit_image(record, layers=layers)


def tars_of(store: Store, record: ImageRecord) -> list[bytes]:
    return [b"".join(layer.tar()) for layer in outgoing_layers(store, record)]


@in_userns
def test_every_odd_entry_and_the_bytes_after_the_end_are_reproduced() -> None:
    data = odd_tar().bytes()
    tars = [data, odd_tar(tarfile.GNU_FORMAT).bytes(), data + b"\0" * 9000 + b"behind the end", data.rstrip(b"\0")]
    tars += [*sparse_tars(), Tar().bytes(), Tar().file("unpadded", b"12345").bytes()[:517]]
    with own_store() as store:
        record = commit(store, *tars)
        assert tars_of(store, record) == tars
        layers = outgoing_layers(store, record)
        assert [layer.tar_size() for layer in layers] == [len(data) for data in tars]
        assert all(layer.blob is None for layer in layers)
        assert store.check() == []


@in_userns
def test_a_recipe_is_small() -> None:
    with own_store() as store:
        record = commit(store, Tar().file("big", os.urandom(4 << 20)).bytes())
        assert 0 < store.stored_layer(record.layers[0]).recipe < 400


@in_userns
def test_a_file_that_is_twice_in_the_archive_is_reproduced() -> None:
    link_replaced = Tar().directory("b").symlink("a", "b").file("a/f", b"through").directory("a").file("a/f", b"direct")
    tars = [
        Tar().file("f", b"first" * 300).file("f", b"second" * 300).bytes(),
        link_replaced.bytes(),
        Tar().directory("d").file("d/f", b"1" * 999).file("d", b"now a file").bytes(),
    ]
    with own_store() as store:
        record = commit(store, *tars)
        assert tars_of(store, record) == tars


@in_userns
def test_a_changed_layer_is_an_error_that_names_the_cause() -> None:
    with own_store() as store:
        record = commit(store, odd_tar().bytes())
        file = Path(store.layer_path(record.layers[0]), "d/f")
        file.write_bytes(b"F" * 700)
        with pytest.raises(DigestMismatchError, match=r"can't be written: .* makes a tar with the digest") as caught:
            tars_of(store, record)
        assert "system check" in caught.value.hint
        file.write_bytes(b"short")
        with pytest.raises(StorageError, match=r"d/f isn't what it was .*: it is shorter"):
            tars_of(store, record)
        file.unlink()
        with pytest.raises(StorageError, match=r"d/f isn't what it was .*: No such file"):
            tars_of(store, record)


@in_userns
def test_a_damaged_or_missing_recipe_is_detected() -> None:
    with own_store() as store:
        record = commit(store, odd_tar().bytes())
        path = Path(store.recipe_path(store.stored_layer(record.layers[0]).number))
        whole = path.read_bytes()
        for damaged in (whole[:-30], b"\x28\xb5\x2f\xfd" + whole[:40], b""):
            path.write_bytes(damaged)
            with pytest.raises(StorageError, match="recipe is damaged"):
                tars_of(store, record)
        assert [finding.what.partition(" ")[2] for finding in store.check()] == [
            f"({record.layers[0]}) has 0 bytes, not {len(whole)}"
        ]
        path.unlink()
        assert "is missing" in store.check(repair=True)[0].what
        assert store.check() == []
        with pytest.raises(ImageError, match="neither the bytes it came as nor a recipe"):
            tars_of(store, record)


@in_userns
def test_removing_the_image_removes_the_recipe() -> None:
    with own_store() as store:
        commit(store, odd_tar().bytes())
        directory = Path(store.graphroot, "recipes")
        assert len(list(directory.iterdir())) == 1
        store.remove_image("a" * 64)
        assert list(directory.iterdir()) == []
        (directory / "77").write_bytes(b"left by a kill")
        assert [finding.what for finding in store.check(repair=True)] == [
            "recipes/77: nothing in the database belongs to it"
        ]
        assert list(directory.iterdir()) == []


@in_userns
@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_layer_without_a_blob_is_compressed(kind: str) -> None:
    from podpy.image.incoming.compression import decompressed

    data = odd_tar().bytes()
    with own_store() as store:
        (layer,) = outgoing_layers(store, commit(store, data))
        blob, again = compress(store, layer, kind), compress(store, layer, kind)
        packed = b"".join(blob.chunks())
        assert (digest(packed), len(packed)) == (blob.digest, blob.size)
        assert b"".join(decompressed([packed])) == data
        assert again.digest == blob.digest, "the same layer, the same bytes"
        store.close()
        assert not os.path.exists(blob.path)


@in_userns
def test_every_archive_that_can_be_unpacked_can_be_reproduced() -> None:
    source = random.Random(os.environ.get("PODPY_FUZZ_SEED", os.urandom(4).hex()))
    originals = [odd_tar().bytes(), odd_tar(tarfile.GNU_FORMAT).bytes(), *sparse_tars()]
    end = time.monotonic() + SECONDS
    made = 0
    with own_store() as store:
        while time.monotonic() < end or not made:
            data = damage(source.choice(originals), source)
            layer = store.begin_layer(chain_id=digest(data), parent="", diff_id=digest(data))
            try:
                layer.write(data)
                layer.finish()
            except StorageError:
                layer.abort()
                continue
            if layer.lost_tar:
                layer.keep_tar([data])
            assert b"".join(recipe.tar(layer.recipe_path, layer.path)) == data
            layer.abort()
            made += 1
