"""`podpy.aio`: the engine for asyncio."""

from __future__ import annotations

from tests.library.conftest import Program

HEAD = """
import asyncio
from podpy import aio

SCRIPT = "echo one; read word; echo $word; sleep 300"


async def threads_end():
    while any(thread.name == "podpy-aio" for thread in threading.enumerate()):
        await asyncio.sleep(0.01)


async def cancelled(task):
    await asyncio.sleep(0)  # it has begun
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    raise AssertionError("it ended by itself")


async def main():
    async with aio.Runtime() as asynchronous:
        await work(asynchronous)
    await asyncio.wait_for(threads_end(), 60)
"""


def body(lines: str) -> str:
    return f"{HEAD}\n\nasync def work(runtime):\n{lines}\n\nasyncio.run(main())\n"


def test_calls_run_beside_each_other(program: Program) -> None:
    lines = """
    outputs = await asyncio.gather(*(runtime.run("busybox", ["echo", str(n)], remove=True) for n in range(4)))
    assert outputs == [b"0\\n", b"1\\n", b"2\\n", b"3\\n"], outputs
    try:
        await runtime.run("busybox", ["sh", "-c", "exit 3"], remove=True)
    except errors.ContainerError as error:
        assert error.exit_status == 3
    else:
        raise AssertionError
    async with await runtime.start("busybox", ["sleep", "300"], network="none", name="box") as box:
        assert (await box.exec("sh -c 'cat; exit 4'", stdin=b"given")).output == b"given"
        assert [each.id for each in await runtime.list()] == [(await runtime.get("box")).id] == [box.id]
        waiting = asyncio.create_task(box.wait())
        await box.stop(0)
        assert await waiting == 137
    try:
        await runtime.get("box")
    except errors.NoSuchContainerError:
        pass
    else:
        raise AssertionError
    """
    assert program(body(lines)).ok() == "done"


def test_what_is_cancelled_ends_its_following_and_never_the_container(program: Program) -> None:
    lines = """
    async with await runtime.start("busybox", ["sh", "-c", SCRIPT], network="none", stdin_open=True) as box:
        following = box.logs(stream=True)
        assert (await anext(following)).text == b"one"
        await cancelled(asyncio.create_task(anext(following)))
        async for line in box.logs(stream=True):
            break  # leaves it open until the garbage collection, which asyncio sees to
        await cancelled(asyncio.create_task(box.wait()))
        await cancelled(asyncio.create_task(anext(runtime.events())))
        assert await box.status() == "running"
        assert [line.text async for line in box.logs()] == [b"one"]
    """
    assert program(body(lines)).ok() == "done"


def test_events_are_heard_as_they_happen(program: Program) -> None:
    lines = """
    async def hear(events):
        found = []
        async for event in events:
            found.append(event.status)
            if event.status == "remove":
                return found

    hearing = asyncio.create_task(hear(runtime.events(["type=container"], since=time.time_ns())))
    async with await runtime.start("busybox", ["sleep", "300"], network="none"):
        pass
    found = await hearing
    assert [status for status in found if status in ("create", "start", "died")] == ["create", "start", "died"], found
    """
    assert program(body(lines)).ok() == "done"
