#!/usr/bin/env python3
"""Ask an engine for everything that it prints as JSON and write the keys and types.

    scripts/shapes.py podman tests/data     writes tests/data/podman-5.4.2.json

As an unprivileged user whose store may change: containers, images, volumes and secrets of the scenario's names are
made, and removed at the end. Needs Debian's docker-registry and busybox-static.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import shapes
from tests.support.registry import Registry


def main() -> int:
    """Ask the engine that the first argument names; the second is the directory of the file."""
    engine, target = shutil.which(sys.argv[1]) or sys.argv[1], Path(sys.argv[2])

    def ask(*words: str) -> str:
        done = subprocess.run([engine, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            print(" ".join(words), done.returncode, done.stderr, sep="\n", file=sys.stderr)
        return done.stdout

    name, _, version = subprocess.check_output([engine, "--version"], text=True).split()[:3]
    with tempfile.TemporaryDirectory() as directory, Registry.start(Path(directory)) as registry:
        Path(directory).chmod(0o755)
        try:
            shapes.set_up(ask, Path(directory), registry)
            found = shapes.answers(ask, registry, engine)
        finally:
            ask("rm", "--all", "--force", "--time", "0")
            ask("volume", "rm", "data", "special")
            ask("secret", "rm", "hidden")
            ask("artifact", "rm", "localhost/thing:1")
            ask("manifest", "rm", "localhost/list")
            ask("rmi", "--force", shapes.IMAGE)
    lines = [f"{json.dumps(kind)}: {json.dumps(shapes.nested(shape))}" for kind, shape in found.items()]
    (target / f"{name}-{version}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
