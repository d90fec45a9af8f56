"""Options of another command in a container."""

from __future__ import annotations

from podpy.record import Record


class ExecOptions(Record):
    """The options of `podpy exec`."""

    command: list[str]
    env: dict[str, str] = {}
    workdir: str = ""
    user: str = ""
    tty: bool = False
    interactive: bool = False
    privileged: bool = False
    preserve_fds: int = 0
    preserve_fd: list[int] = []
    detach_keys: bytes | None = None  # None: as containers.conf says
    id: str = ""  # of the session, 64 hexadecimal digits; empty: a new one
    session: bool = True  # False: nobody is told of it; with a terminal or in the background there is one nevertheless
