"""The engine for asyncio: `from podpy import aio`.

    async with aio.Runtime() as runtime:
        print(await runtime.run("busybox", ["echo", "hi"], remove=True))
        async with await runtime.start("busybox", ["sh", "-c", "echo ready; sleep 300"]) as web:
            async for line in web.logs(stream=True):
                break

    engine.py    Runtime and Container: run, start, logs, exec, wait, events
    threads.py   one call, or one stream, in a thread

Each call works in a thread with a podpy.Runtime of its own, so the loop never waits. Cancelling ends what follows a
container (its log, its end, events), never the container. A call that changes something goes on to its end; only its
result is dropped.
"""

from __future__ import annotations

from podpy.aio.engine import Container, Runtime

__all__ = ["Container", "Runtime"]
