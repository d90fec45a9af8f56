"""One call, or one stream, in a thread of its own: asyncio's pool is small, and waits for its threads at the end."""

from __future__ import annotations

import asyncio
import queue
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any, Protocol, TypeVar

    T = TypeVar("T")
    T_co = TypeVar("T_co", covariant=True)

    class Stream(Protocol[T_co]):
        """An iterable whose iteration another thread may end."""

        def __iter__(self) -> Iterator[T_co]: ...
        def close(self) -> None: ...


_END: Any = object()


async def in_thread(work: Callable[[], T]) -> T:
    """Return what `work()` returns. If this is cancelled, it goes on, and its result is dropped."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    threading.Thread(target=_answer, args=(future, work), daemon=True, name="podpy-aio").start()
    return await future


def _answer(future: asyncio.Future[T], work: Callable[[], T]) -> None:
    """Do the work, and put what comes out into the future, in its loop's thread."""
    value: Any = None
    failure: BaseException | None = None
    try:
        value = work()
    except BaseException as error:
        failure = error

    def put() -> None:
        if future.done():  # it was cancelled
            return
        if failure is None:
            future.set_result(value)
        else:
            future.set_exception(failure)

    try:
        future.get_loop().call_soon_threadsafe(put)
    except RuntimeError:
        pass  # the loop is closed: nobody waits


async def items(begin: Callable[[], Stream[T]]) -> AsyncIterator[T]:
    """Yield the items of the stream that `begin()` returns, as they are asked for; at the end it is closed."""
    asked: queue.SimpleQueue[asyncio.Future[T] | None] = queue.SimpleQueue()
    opened: list[Stream[T]] = []
    lock, over = threading.Lock(), threading.Event()

    def work() -> None:
        iterator: Iterator[T] | None = None

        def following() -> T:
            nonlocal iterator
            if iterator is None:
                stream = begin()
                with lock:
                    opened.append(stream)
                    if over.is_set():
                        stream.close()
                iterator = iter(stream)
            return next(iterator, _END)

        while (future := asked.get()) is not None:
            _answer(future, following)

    threading.Thread(target=work, daemon=True, name="podpy-aio").start()
    try:
        while True:
            future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            asked.put(future)
            item = await future
            if item is _END:
                return
            yield item
    finally:
        asked.put(None)
        with lock:
            over.set()
            for stream in opened:
                stream.close()
