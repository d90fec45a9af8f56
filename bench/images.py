#!/usr/bin/env python3
"""Lists of many images: podpy beside Podman, in turns.

    bench/images.py [--podman PODMAN] [--podpy PODPY] [--count N] [--rounds N] [CASE…]

Run it as the unprivileged user whose stores are compared. It loads N small images (localhost/many:0 …) into both, from
one docker-archive, unless they are there, and leaves them. Each has a layer of its own: Podman compares images that
share their last layer with each other, which takes it minutes. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from typing import IO

from interleave import Case, check_drivers, heading, measure

CASES = {
    "images": ["images"],
    "images -q": ["images", "-q"],
    "images --format json": ["images", "--format", "json"],
    "images NAME": ["images", "many:7"],
    "images --filter label=n=7": ["images", "--filter", "label=n=7"],
    "image exists": ["image", "exists", "localhost/many:7"],
    "system df": ["system", "df"],
}


def layer_of(number: int) -> bytes:
    """Return a layer's tar, another one for each number."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        layer.addfile(tarfile.TarInfo(f"file-{number}"))
    return buffer.getvalue()


def write_archive(file: IO[bytes], count: int) -> None:
    """Write a docker-archive with `count` images, each with a layer and a label of its own."""
    environment = [f"VARIABLE_{number}=a value of some length" for number in range(30)]
    step = {"created": "2024-01-01T00:00:00Z", "created_by": "RUN something that is long " * 4}
    files = {}
    manifest = []
    for number in range(count):
        layer = layer_of(number)
        digest = hashlib.sha256(layer).hexdigest()
        description = {
            "architecture": "amd64",
            "os": "linux",
            "created": f"2024-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z",
            "config": {"Cmd": ["/bin/sh"], "Env": environment, "Labels": {"n": str(number)}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [step],
        }
        config = json.dumps(description).encode()
        name = hashlib.sha256(config).hexdigest() + ".json"
        files |= {name: config, f"{digest}.tar": layer}
        manifest.append({"Config": name, "RepoTags": [f"localhost/many:{number}"], "Layers": [f"{digest}.tar"]})
    files["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def main() -> None:
    """Fill the stores, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--podman", default="podman")
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all if none is named")
    options = parser.parse_args()
    engines = {"podman": options.podman, "podpy": options.podpy}
    check_drivers({side: [engine] for side, engine in engines.items()})
    last = f"localhost/many:{options.count - 1}"
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        write_archive(file, options.count)
        file.flush()
        for engine in engines.values():
            if subprocess.run([engine, "image", "exists", last]).returncode:
                subprocess.run([engine, "load", "-q", "-i", file.name], check=True, stdout=subprocess.DEVNULL)
    print(heading([*engines]))
    for name in options.cases or CASES:
        commands = {side: [engine, *CASES[name]] for side, engine in engines.items()}
        print(measure(Case(name, commands, rounds=options.rounds, warm_up=1)).row([*engines]), flush=True)


if __name__ == "__main__":
    main()
