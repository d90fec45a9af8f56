"""`POST /containers/{id}/wait`: the head is sent at once, so a client may start the container when it has it."""

from __future__ import annotations

from podpy import fastjson
from podpy.api.call import JSON_TYPE
from podpy.api.errors import HttpError
from podpy.errors import NoSuchContainerError
from podpy.libpod.io.watch import FileWatch
from podpy.monitor.files import read_exit_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.libpod.containers.container import Container
    from podpy.libpod.containers.table import ContainerRow

_CONDITIONS = ("not-running", "next-exit", "removed")
_TICK = 0.5  # seconds between two looks at a row: of a removal without an end nobody tells
_SOON = 0.02  # the same for one that is about to go


def wait(call: Call) -> None:
    """Wait until a container has ended (`not-running`), has ended once more (`next-exit`), or is gone (`removed`)."""
    condition = call.query["condition"] or _CONDITIONS[0]
    if condition not in _CONDITIONS:
        raise HttpError(400, f'invalid condition: "{condition}"')
    container = call.runtime.container(call.path["id"].removeprefix("/"))
    before = container.refresh()
    connection = call.connection
    connection.begin(200, [("Content-Type", JSON_TYPE)])
    connection.write(b"")
    client = connection.socket.fileno()
    is_simple = condition == _CONDITIONS[0]
    code = container.wait(output=client) if is_simple else _after(container, before, condition, client)
    connection.write((fastjson.dumps({"StatusCode": code}) + "\n").encode())
    connection.end()


def _after(container: Container, before: ContainerRow, condition: str, client: int) -> int:
    """Return the exit code of the container's next end, or of its last one when it is gone.

    The monitor writes the record of an end before anybody sees it in the row, and it stays when a `--rm` container
    goes.
    """
    engine = container.engine
    with FileWatch(engine.exit_directory) as watch:
        while True:
            record = read_exit_record(engine.exit_directory, container.id)
            has_ended = record is not None and record.finished > before.finished
            if record is not None and has_ended and condition == "next-exit":
                return record.exit_code
            try:
                if has_ended and container.spec.remove:
                    container.cleanup()  # sooner than the monitor's exit command, which has yet to start
                container.refresh()
            except NoSuchContainerError:
                return record.exit_code if record is not None and has_ended else before.exit_code
            watch.wait(timeout=_SOON if has_ended else _TICK, output=client)
