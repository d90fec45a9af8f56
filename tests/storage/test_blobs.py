"""Blobs in the making, which several calls share."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread

from podpy import digests
from podpy.storage.blobs import BlobWriter


def test_a_blob_is_read_while_another_call_keeps_renaming_it(tmp_path: Path) -> None:
    """Its commit does: tmp/blobs/HEX.done becomes blobs/sha256/HEX."""
    digest = digests.sha256(b"content")
    stored = tmp_path / "blobs/sha256" / digest.removeprefix("sha256:")
    stored.parent.mkdir(parents=True)
    writer = BlobWriter(str(tmp_path), digest)
    writer.write(b"content")
    writer.finish()
    done = tmp_path / "tmp/blobs" / (stored.name + ".done")
    over = Event()

    def rename() -> None:
        while not over.is_set():
            os.rename(done, stored)
            os.link(stored, done)  # as the next receiver of a stored blob does
            os.unlink(stored)

    thread = Thread(target=rename)
    thread.start()
    try:
        for _ in range(3000):
            with writer.open() as file:
                assert file.read() == b"content"
    finally:
        over.set()
        thread.join()
