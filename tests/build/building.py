"""Builds for tests: a context directory, a build, and what came out of it."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

from tests.support.engine import Podpy, Result

BASE = "FROM localhost/busybox\n"


class Builder:
    """Builds in a directory of podpy's user."""

    def __init__(self, podpy: Podpy) -> None:
        self.podpy = podpy
        self.context = podpy.home / "context"
        self.context.mkdir()
        self._give(self.context)

    def _give(self, path: Path) -> None:
        if os.geteuid() != self.podpy.user.uid:
            os.chown(path, self.podpy.user.uid, self.podpy.user.gid, follow_symlinks=False)

    def write(self, files: dict[str, str | bytes]) -> None:
        """Write files of the context, with their directories."""
        for name, content in files.items():
            path = self.context / name
            for parent in [*reversed(path.relative_to(self.context).parents)][1:]:
                (self.context / parent).mkdir(exist_ok=True)
                self._give(self.context / parent)
            path.write_bytes(content if isinstance(content, bytes) else os.fsencode(content))
            self._give(path)

    def __call__(self, dockerfile: str, *options: str, base: str = BASE, **more: Any) -> Result:
        """Build a Dockerfile (its first line, `base`, stands before it), and return what podpy printed."""
        self.write({"Dockerfile": base + dockerfile})
        return self.podpy("build", *options, str(self.context), **more)

    def ok(self, dockerfile: str, *options: str, **more: Any) -> str:
        """Build, and return the image's id."""
        return self(dockerfile, *options, **more).ok().splitlines()[-1]

    def files(self, image: str) -> dict[str, tarfile.TarInfo]:
        """Return what is in an image, by path."""
        return {entry.name.rstrip("/"): entry for entry in self._archive(image)}

    def read(self, image: str, path: str) -> bytes:
        """Return a file of an image."""
        archive = self._archive(image)
        content = archive.extractfile(path)
        assert content is not None
        return content.read()

    def _archive(self, image: str) -> tarfile.TarFile:
        container = self.podpy.ok("create", image, "x")
        target = self.podpy.home / "export.tar"
        self.podpy.ok("export", "-o", str(target), container)
        self.podpy.ok("rm", container)
        return tarfile.open(fileobj=io.BytesIO(target.read_bytes()))

    def config(self, image: str) -> dict[str, Any]:
        """Return an image's settings."""
        shown: dict[str, Any] = self.podpy.json("image", "inspect", "--format", "{{json .Config}}", image)
        return shown

    def layers(self, image: str) -> list[str]:
        """Return the diff ids of an image's layers."""
        found: list[str] = self.podpy.json("image", "inspect", "--format", "{{json .RootFS.Layers}}", image)
        return found
