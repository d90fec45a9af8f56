"""What a further command in a container was asked for."""

from __future__ import annotations

from podpy.record import Record


class ExecOptions(Record):
    """What `podpy exec` was asked for."""

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
