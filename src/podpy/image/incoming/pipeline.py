"""Layers into the store: receive, digest and blob file ∥ decompress and diff id ∥ unpack, several layers at once.

A layer has two threads joined by a bounded channel, and the unpacker's process; hashing, decompression and unpacking
release the interpreter's lock. If an earlier call left a part of it, a third thread receives the rest. A plain tar
that isn't kept gets one thread: more would mostly hand the lock to each other (measured: 6 % of a load's CPU). Large
layers begin first, because the last one decides when all is done. Nothing is visible before both digests of every
layer match and `Store.commit_image` has run.

This process must be in the user's namespaces before `receive` is called: the kernel forbids a process with threads to
enter a user namespace. The calling thread does all database work.
"""

from __future__ import annotations

import errno
from collections import deque
from functools import partial
from itertools import chain
from threading import Condition, Event, Lock, Thread
from time import monotonic

from podpy.errors import BrokenTarError, DigestMismatchError, ImageError, NoSpaceError, PodpyError, StorageError
from podpy.image.incoming.compression import decompressed, detect
from podpy.image.progress import SILENT, Progress
from podpy.notice import in_thread
from podpy.record import Record
from podpy.storage.layers.filesystem import sync_filesystem
from podpy.storage.layers.writeback import Writeback
from podpy.storage.space import check_space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from podpy.storage.blobs import BlobWriter
    from podpy.storage.layers.writer import LayerWriter
    from podpy.storage.store import Store

WORKERS = 3
_READ = 256 << 10
_COMPRESSED_CHUNKS = 8
_READ_AHEAD = 4  # pieces
_GRACE = 0.5  # seconds that all layers together get to stop after one has failed, or after Ctrl-C


class IncomingLayer(Record):
    """Where a layer's bytes come from.

    `digest` names the blob that is kept (empty: the bytes aren't kept, a recipe is made); `size` in bytes, -1: not
    known; `read(offset)` yields the rest of the bytes, also a second time.
    """

    diff_id: str
    chain_id: str
    parent: str
    digest: str
    size: int
    read: Callable[[int], Iterator[bytes]]


class ReceivedLayers(Record):
    """What `receive` made: all of it verified, none of it committed."""

    layers: list[LayerWriter]
    blobs: list[BlobWriter]


class _Stopped(Exception):
    """Another layer, or another thread of this one, has failed."""


class Channel:
    """A bounded queue between two threads that either side can break."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[bytes] = deque()
        self._changed = Condition()
        self._ended = False
        self._broken = False

    def put(self, item: bytes) -> None:
        """Add an item, waiting for room. Raises _Stopped if the other side is gone."""
        with self._changed:
            while len(self._items) >= self._capacity and not self._broken:
                self._changed.wait()
            if self._broken:
                raise _Stopped
            self._items.append(item)
            self._changed.notify_all()

    def end(self) -> None:
        """Say that nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def break_off(self) -> None:
        """Make both sides stop."""
        with self._changed:
            self._broken = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                while not self._items and not self._ended and not self._broken:
                    self._changed.wait()
                if self._broken:
                    raise _Stopped
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item


def read_ahead(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same pieces; another thread makes them, some in advance."""
    channel = Channel(_READ_AHEAD)
    failure: list[BaseException] = []

    def work() -> None:
        try:
            for piece in pieces:
                channel.put(piece)
        except _Stopped:
            pass
        except BaseException as error:
            failure.append(error)
        channel.end()

    thread = Thread(target=in_thread(work), daemon=True)
    thread.start()
    try:
        yield from channel
    finally:
        channel.break_off()
        thread.join()
    if failure:
        raise failure[0]


def receive(
    store: Store, sources: Sequence[IncomingLayer], *, progress: Progress = SILENT, workers: int = WORKERS
) -> ReceivedLayers:
    """Bring layers into the staging area, each verified. Layers that the store has must not be among `sources`.

    Raises the first failure: RegistryError, DigestMismatchError, ImageError, StorageError. After an error, or
    KeyboardInterrupt, the received parts of blobs stay for the next try.
    """
    _check_space(store, sources)
    for source in sources:
        if source.digest:
            store.has_blob(source.digest)  # the lease: a prune leaves it alone from its end until the image's commit
    pool = _Pool(store, sources, progress)
    threads = [Thread(target=in_thread(pool.work), daemon=True) for _ in range(min(workers, len(sources)))]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive() and not pool.stop.is_set():
                thread.join(0.25)
    finally:
        pool.stop.set()
        end = monotonic() + _GRACE
        for thread in threads:
            # A thread still waiting for its server is abandoned; what it has received is in its file already.
            thread.join(max(0.0, end - monotonic()))
        try:
            pool.writeback.stop(max(0.0, end - monotonic()))
        except OSError as error:
            pool.error = pool.error or _translate(error, store)
    if pool.error is not None:
        raise pool.error
    finished = [pool.finished[id(source)] for source in sources]
    blobs = {blob.digest: blob for _, blob in finished if blob is not None}
    return ReceivedLayers(layers=[layer for layer, _ in finished], blobs=list(blobs.values()))


class _Pool:
    """The waiting layers, the finished ones, and the first error."""

    def __init__(self, store: Store, sources: Sequence[IncomingLayer], progress: Progress) -> None:
        self.store = store
        self.progress = progress
        self.stop = Event()
        self.error: BaseException | None = None
        self.finished: dict[int, tuple[LayerWriter, BlobWriter | None]] = {}
        self.writeback = Writeback(partial(sync_filesystem, store.graphroot))
        self.staging_lock = Lock()  # Store.begin_layer and LayerWriter.abort name things by a counter
        self._waiting = sorted(sources, key=lambda source: source.size)
        self._lock = Lock()

    def work(self) -> None:
        """Fetch layers until none waits or one has failed."""
        while not self.stop.is_set():
            with self._lock:
                if not self._waiting:
                    return
                source = self._waiting.pop()
            try:
                self.finished[id(source)] = self._fetch(source)
            except _Stopped:
                return
            except BaseException as error:
                self._fail(error)
                return

    def _fetch(self, source: IncomingLayer) -> tuple[LayerWriter, BlobWriter | None]:
        blob = self.store.stage_blob(source.digest) if source.digest else None
        resumed = blob is not None and blob.offset > 0 and not blob.complete
        try:
            return _Transfer(self, source, blob).run(), blob
        except DigestMismatchError:
            # Perhaps an earlier call left wrong bytes. They are gone now, so start again.
            if not resumed:
                raise
        blob = self.store.stage_blob(source.digest)
        return _Transfer(self, source, blob).run(), blob

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            if self.error is None:
                self.error = _translate(error, self.store)
        self.stop.set()


class _Transfer:
    """The transfer of one layer: this thread receives; where that is faster, another one decompresses and unpacks."""

    def __init__(self, pool: _Pool, source: IncomingLayer, blob: BlobWriter | None) -> None:
        self._pool = pool
        self._source = source
        self._blob = blob
        self._name = source.digest or source.diff_id
        self._compressed = Channel(_COMPRESSED_CHUNKS)
        self._failure: BaseException | None = None
        try:
            with pool.staging_lock:
                self._layer = pool.store.begin_layer(
                    chain_id=source.chain_id, parent=source.parent, diff_id=source.diff_id, recipe=not source.digest
                )
        except BaseException:
            if blob is not None:
                blob.abort()  # this call's next image may want it, too
            raise

    def run(self) -> LayerWriter:
        """Return the layer, unpacked and verified. Raises what failed."""
        chunks = self._incoming()
        try:
            if self._blob is not None:
                self._run_in_stages(chunks)
            else:
                head = next(chunks, b"")
                unpack = self._run_in_stages if detect(head) else self._unpack
                unpack(chain((head,), chunks))
        except BaseException:
            chunks.close()  # its thread writes into the blob
            self._give_up()
            raise
        self._pool.progress.layer_done(self._name)
        return self._layer

    def _run_in_stages(self, chunks: Iterable[bytes]) -> None:
        stage = Thread(target=in_thread(self._guarded_unpack), daemon=True)
        stage.start()
        try:
            self._pass_on(chunks)
            if self._blob is not None:
                self._blob.finish()
            self._compressed.end()
        except BaseException as error:
            self._compressed.break_off()
            if isinstance(error, _Stopped) and self._failure is not None:
                raise self._failure from None
            raise
        finally:
            stage.join()
        if self._failure is not None:
            raise self._failure

    def _give_up(self) -> None:
        if self._blob is not None:
            self._blob.abort()
        with self._pool.staging_lock:
            self._layer.abort()

    def _incoming(self) -> Generator[bytes]:
        """Yield the layer's bytes: those that an earlier call left, then the rest."""
        blob = self._blob
        offset = 0 if blob is None else blob.offset
        self._pool.progress.layer_started(self._name, self._source.size, offset)
        if blob is None or not offset:
            yield from self._arriving(offset)
        elif blob.complete:
            yield from _file_chunks(blob, offset)
        else:
            yield from growing(blob, self._arriving(offset), self._pool.stop)

    def _arriving(self, offset: int) -> Generator[bytes]:
        blob = self._blob
        for chunk in self._source.read(offset):
            if blob is not None:
                blob.write(chunk)
                self._pool.writeback.wrote(len(chunk))
            self._pool.progress.layer_advanced(self._name, len(chunk))
            yield chunk

    def _pass_on(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            if self._pool.stop.is_set():
                raise _Stopped
            try:
                self._compressed.put(chunk)
            except _Stopped:
                # Broken data may mean a wrong blob. Then the digest is the better error, so receive the rest.
                if self._blob is None or not isinstance(self._failure, ImageError | BrokenTarError):
                    raise

    def _guarded_unpack(self) -> None:
        pieces = decompressed(self._compressed)
        try:
            self._unpack(pieces)
        except BaseException as error:
            self._failure = error
            self._compressed.break_off()  # also if all layers stop: the other thread may wait for room in the channel
        finally:
            # The error's traceback holds them, and with them a window that other layers, and this call's next image,
            # wait for.
            pieces.close()

    def _unpack(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self._pool.stop.is_set():
                raise _Stopped
            self._layer.write(piece)
            self._pool.writeback.wrote(len(piece))
        self._layer.finish()
        if self._layer.lost_tar:
            tar = decompressed(self._source.read(0))
            try:
                self._layer.keep_tar(tar)
            finally:
                tar.close()


def _file_chunks(blob: BlobWriter, end: int) -> Iterator[bytes]:
    with blob.open() as file:
        while end > 0:
            chunk = file.read(min(_READ, end))
            if not chunk:
                raise StorageError(f"{file.name}: shorter than it was", hint="Try again")
            end -= len(chunk)
            yield chunk


def growing(blob: BlobWriter, arriving: Generator[bytes], stop: Event) -> Generator[bytes]:
    """Yield a blob's bytes: first those of an earlier call, while a thread appends the rest to them.

    To unpack what is here takes seconds or minutes. If the rest waited for that, a pull that is broken off sooner, each
    time, would never get on.
    """
    changed = Condition()
    over = Event()  # nothing more comes, or nothing more is wanted
    failure: list[BaseException] = []

    def receive_rest() -> None:
        try:
            try:
                for _ in arriving:
                    if over.is_set() or stop.is_set():
                        raise _Stopped
                    with changed:
                        changed.notify()
            finally:
                arriving.close()  # and with it its connection: the error's traceback would keep it
        except BaseException as error:
            failure.append(error)
        with changed:
            over.set()
            changed.notify()

    thread = Thread(target=in_thread(receive_rest), daemon=True)
    position = 0
    file = blob.open()  # before the thread renames it
    thread.start()
    try:
        with file:
            while True:
                with changed:
                    while position >= blob.offset and not over.is_set():
                        changed.wait()
                if failure:
                    raise failure[0]
                chunk = file.read(_READ)
                if not chunk:
                    if position < blob.offset:
                        raise StorageError(f"{file.name}: shorter than it was", hint="Try again")
                    return
                position += len(chunk)
                yield chunk
    finally:
        over.set()
        thread.join()


def _check_space(store: Store, sources: Sequence[IncomingLayer]) -> None:
    # A lower bound: the files of a layer take at least as much as its compressed form, and that is kept too.
    check_space(store, sum(max(source.size, 0) * (2 if source.digest else 1) for source in sources), what="the image")


def _translate(error: BaseException, store: Store) -> BaseException:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpaceError(f"{store.graphroot}: {error.strerror}")
    if isinstance(error, OSError) and not isinstance(error, PodpyError):
        where = f" ({error.filename})" if error.filename else ""
        return StorageError(f"a layer can't be stored: {error.strerror or error}{where}")
    return error
