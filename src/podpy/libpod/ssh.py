"""Another machine's engine, called by ssh(1): podman or podpy, whichever is there."""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import ImageError, UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.connections import Connection

_ENGINE = "$(command -v podman || command -v podpy || echo podman)"  # the other machine's
_FAILED_CONNECTION = 255  # ssh(1), EXIT STATUS


class Host(Record):
    """Another machine: what ssh takes as `destination`, and the file of a key, or ""."""

    destination: str
    identity: str = ""

    @classmethod
    def of_connection(cls, connection: Connection) -> Host:
        """Return the machine of an ssh connection. Raises UsageError for another one."""
        from urllib.parse import urlsplit

        parts = urlsplit(connection.uri)
        if parts.scheme != "ssh":
            raise UsageError(f'connection "{connection.name}" ({connection.uri}) is not by ssh')
        return cls(destination=f"ssh://{parts.netloc}", identity=os.path.expanduser(connection.identity))


class Remote:
    """A command of another machine's engine. `descriptor`: our end of its standard input (`writes`) or output."""

    def __init__(self, host: Host, command: str, *, writes: bool) -> None:
        """Raises NotFoundError without ssh."""
        program = process.find("ssh")
        self._host = host.destination
        key = ["-i", host.identity] if host.identity else []
        self._messages, messages = process.pipe()
        reading, writing = process.pipe()
        self.descriptor, theirs = (writing, reading) if writes else (reading, writing)
        try:
            self._pid = process.spawn(
                [program, *key, "--", host.destination, f"{_ENGINE} {command}"],
                stdin=theirs if writes else -1,
                stdout=None if writes else theirs,
                stderr=messages,
            )
        finally:
            os.close(theirs)
            os.close(messages)

    def end(self) -> None:
        """Close our end, and wait. Raises ImageError with the last line of what it said, if it failed."""
        os.close(self.descriptor)
        said = process.read_all(self._messages).strip().splitlines()
        code = process.wait(self._pid)
        if code:
            hint = f"ssh {self._host} podman version" if code == _FAILED_CONNECTION else ""
            raise ImageError(f"{self._host}: {said[-1] if said else f'exit code {code}'}", hint=hint)
