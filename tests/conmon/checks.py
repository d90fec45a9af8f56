"""A health check's files and control messages, as podpy writes them."""

from __future__ import annotations

import json
import os
import select
from pathlib import Path
from typing import Any

from tests.conmon.harness import Conmon
from tests.support import wait


class Health:
    """The directory of --health-dir."""

    def __init__(self, bundle: Path) -> None:
        self.path = bundle / "health"
        self.path.mkdir()
        self.result_file = bundle / "result"
        self.events = bundle / "events"
        self.events.mkdir()
        self.option = f"--health-dir={self.path}"

    def write(self, command: str, *, startup: str = "", **config: int | str) -> Health:
        """Write the process and the configuration."""
        self.hook("process", command).hook("startup", startup)
        values = {"result": self.result_file, "events": self.events, "interval": 1000, "timeout": 30000, "retries": 2,
                  "log_count": 5, "log_size": 500, **({"startup": 1} if startup else {}), **config}  # fmt: skip
        (self.path / "config.new").write_text("".join(f"{key} {value}\n" for key, value in values.items()))
        (self.path / "config.new").rename(self.path / "config")
        return self

    def program(self, name: str, *words: str | Path) -> Health:
        """Let a program be run, and not a command in the container."""
        (self.path / f"{name}.argv").write_bytes(b"".join(f"{word}\0".encode() for word in words))
        return self

    def hook(self, name: str, command: str) -> Health:
        """Write the process of a hook, or of the readiness check."""
        process = {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["sh", "-c", command],
                   "env": ["PATH=/bin"], "cwd": "/"}  # fmt: skip
        (self.path / f"{name}.json").write_text(json.dumps(process))
        return self

    def result(self, name: str = "result") -> dict[str, Any]:
        """What was found; {} before the first result."""
        file = self.result_file.with_name(name)
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def until(self, status: str, name: str = "result") -> dict[str, Any]:
        """Wait for a state and return the results."""
        return wait.until(
            lambda: found if (found := self.result(name)).get("Status") == status else {},
            what=f"the container is {status}",
        )

    def noted(self) -> list[str]:
        """The states that were noted for the table of events, in order."""
        notes = [json.loads(path.read_text()) for path in self.events.iterdir() if "new" not in path.name]
        return [note["status"] for note in sorted(notes, key=lambda note: note["time"])]


def told(conmon: Conmon, line: str) -> None:
    """Write a line to the control fifo."""
    with open(conmon.bundle / "ctl", "w") as file:
        file.write(line + "\n")


def check_now(conmon: Conmon, health: Health, number: int = 7) -> str:
    """Ask for a check and return the answer: "" if the monitor refuses."""
    path = health.path / f"answer.{number}"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        told(conmon, f"3 {number} 0")
        with open(reader, closefd=False) as file:
            os.set_blocking(reader, True)
            wait.until(lambda: _ready(reader), what="an answer")
            return file.read().strip()
    finally:
        os.close(reader)
        path.unlink()


def _ready(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
