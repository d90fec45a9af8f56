"""Records what Docker's BuildKit makes of cases.txt, in buildkit.json.

    python -m tests.build.record_buildkit DIRECTORY DOCKER...

DOCKER... is a command that runs `docker` 28 with buildx and the variable A_SECRET=hidden, and that sees DIRECTORY.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from tests.build import shapes
from tests.support.images import busybox_image

ANSWERS = Path(__file__).with_name("buildkit.json")


class Docker:
    """Docker, with a context of its own."""

    def __init__(self, top: Path, command: list[str]) -> None:
        self._command = command
        self._top = top
        shutil.rmtree(top, ignore_errors=True)
        top.mkdir(parents=True)
        self._context = top / "context"
        self._context.mkdir()
        shapes.make_context(self._context)
        self("load", "-i", os.fspath(busybox_image().write_docker_archive(top / "busybox.tar"))).check_returncode()
        self._base = self._saved("localhost/busybox").tree

    def __call__(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*self._command, *words], capture_output=True)

    def _saved(self, image: str) -> shapes.Saved:
        return shapes.Saved(tarfile.open(fileobj=io.BytesIO(self("save", image).stdout)))

    def answer(self, case: shapes.Case) -> dict[str, Any]:
        """Return what a build of a case gives: an error's line, or settings, history and changes of the tree."""
        file = self._top / "Dockerfile"
        file.write_text(case.text)
        ignored = self._context / ".dockerignore"
        ignored.unlink(missing_ok=True)
        if case.ignored:
            ignored.write_text(case.ignored)
            os.utime(ignored, (shapes.OLD, shapes.OLD))
        os.utime(self._context, (shapes.OLD, shapes.OLD))
        done = self("build", "-q", "-t", "x", "-f", os.fspath(file), *case.options, os.fspath(self._context))
        if done.returncode:
            lines = done.stderr.decode().strip().splitlines()
            told = next((line for line in reversed(lines) if line.startswith("ERROR: ")), lines[-1])
            told = re.sub("^ERROR: (failed to build: )?(failed to solve: )?", "", told)
            return {"error": re.sub("ref [-0-9a-z]+::[0-9a-z]+|/var/lib/docker/overlay2/[^/]*/merged", "…", told)}
        found = self._saved("x").answer({} if case.is_from_nothing else self._base)
        self("rmi", "-f", "x")
        return found


def main() -> None:
    """Ask, and write."""
    docker = Docker(Path(sys.argv[1]), sys.argv[2:])
    answers = {}
    for name, case in shapes.cases().items():
        answers[name] = docker.answer(case)
    lines = [f"{json.dumps(name)}: {json.dumps(found, sort_keys=True)}" for name, found in answers.items()]
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
