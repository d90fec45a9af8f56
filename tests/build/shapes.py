"""The context that tests/build/cases.txt's Dockerfiles are built with, and how what came out is told.

The same for podpy and for Docker, whose answers are recorded: record_buildkit.py.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import stat
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASES = Path(__file__).with_name("cases.txt")
OLD = 1_000_000_000
"""The time of all files of the context: a file of that time has kept it."""
FILES: dict[str, tuple[str | bytes, int]] = {
    "f": ("f\n", 0o644),
    "g": ("g\n", 0o640),
    "run.sh": ("#!/bin/sh\necho ran\n", 0o755),
    "setuid": ("s\n", 0o4755),
    "d/x": ("x\n", 0o644),
    "d/e/y": ("y\n", 0o600),
    "d/.dot": (".\n", 0o644),
    "texts/a.txt": ("a\n", 0o644),
    "texts/b.txt": ("b\n", 0o644),
    "texts/c.md": ("c\n", 0o644),
    "texts/deep/m.txt": ("m\n", 0o644),
    "deep/a/b/c": ("c\n", 0o644),
    "private/in": ("in\n", 0o644),
    "sticky/in": ("in\n", 0o644),
    "odd/two words": ("2\n", 0o644),
    "odd/[x]": ("brackets\n", 0o644),
    "odd/st*r": ("star\n", 0o644),
    "odd/$HOME": ("dollar\n", 0o644),
    ".hidden": ("h\n", 0o644),
}
MODES = {"private": 0o700, "sticky": 0o1777, "d/e": 0o750}
LINKS = {
    "link": "f", "dlink": "d", "d/l": "x", "d/up": "../f", "d/abs": "/etc/passwd", "dangling": "nowhere",
    "outside": "../../../etc/hostname",
}  # fmt: skip
ARCHIVE = {"in/one": b"1\n", "in/two": b"2\n"}


def make_context(top: Path) -> None:
    """Make the context's files in an empty directory."""
    for name, (content, mode) in FILES.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
    (top / "empty").mkdir()
    for name, text in _archives().items():
        (top / name).write_bytes(text)
    os.link(top / "d/x", top / "d/hard")
    for name, target in LINKS.items():
        (top / name).symlink_to(target)
    for name, mode in MODES.items():
        (top / name).chmod(mode)
    for path in sorted(top.rglob("*"), reverse=True):
        os.utime(path, (OLD, OLD), follow_symlinks=False)


def _archives() -> dict[str, bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in ARCHIVE.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.uid, entry.gid = len(content), OLD, 7, 8
            archive.addfile(entry, io.BytesIO(content))
    tar = buffer.getvalue()
    return {"a.tar": tar, "a.tgz": gzip.compress(tar, mtime=0), "plain.gz": gzip.compress(b"plain\n", mtime=0)}


@dataclass(frozen=True)
class Case:
    """One Dockerfile with the options of its build. `ignored`: the text of .dockerignore."""

    name: str
    text: str
    options: tuple[str, ...] = ()
    ignored: str = ""

    @property
    def is_from_nothing(self) -> bool:
        """Whether its image has no base."""
        return "FROM scratch" in self.text


def cases() -> dict[str, Case]:
    """Return cases.txt's, by name. Its head tells how it is written."""
    found = {}
    _head, *parts = ("\n" + CASES.read_text()).split("\n== ")
    for part in parts:
        heading, _, body = part.partition("\n")
        name, _, options = heading.partition(" | ")
        text, _, ignored = body.partition("\n-- .dockerignore\n")
        text = text.strip("\n") + "\n"
        begins_itself = re.match("#|FROM", text, re.MULTILINE) or "\nFROM " in text
        whole = text if begins_itself else f"FROM localhost/busybox\n{text}"
        assert name not in found, name
        found[name] = Case(name, whole, tuple(options.split()), ignored)
    return found


class Saved:
    """What an image's archive (`docker save`) says: `config`, the configuration; `tree`, what its layers make."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        names = json.loads(_read(archive, "manifest.json"))[0]
        self.config: dict[str, Any] = json.loads(_read(archive, names["Config"]))
        self.tree: dict[str, str] = {}
        for name in names["Layers"] or ():
            with tarfile.open(fileobj=io.BytesIO(_read(archive, name))) as layer:
                self._add(layer)
        for name in PLACES:
            self.tree.pop(name, None)

    def _add(self, layer: tarfile.TarFile) -> None:
        entries = [(entry, entry.name.removeprefix("./").strip("/")) for entry in layer]
        for _, name in entries:
            parent, _, last = name.rpartition("/")
            if last.startswith(".wh."):
                self._remove(parent if last == ".wh..wh..opq" else f"{parent}/{last[4:]}".strip("/"))
        for entry, name in entries:
            if ".wh." not in name:
                if not entry.isdir():
                    self._remove(name)
                self.tree[name] = _line(layer, entry, self.tree)

    def _remove(self, path: str) -> None:
        for name in [name for name in self.tree if name == path or name.startswith(f"{path}/")]:
            del self.tree[name]

    def answer(self, base: Mapping[str, str]) -> dict[str, Any]:
        """Return settings, history and layers of the image, and what differs from a base's tree."""
        lines = self.config.get("history") or []
        tree = {name: line for name, line in self.tree.items() if base.get(name) != line}
        tree.update((name, "gone") for name in base if name not in self.tree)
        return {
            "settings": {key: self.config["config"][key] for key in KEYS if self.config["config"].get(key)},
            "author": self.config.get("author", ""),
            "history": [[line["created_by"], not line.get("empty_layer", False)] for line in lines],
            "tree": dict(sorted(tree.items())),
        }


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


PLACES = frozenset(["etc/hosts", "etc/hostname", "etc/resolv.conf", "dev", "proc", "sys", "run", "run/secrets", "etc"])
"""Where engines mount something: what one leaves there says nothing of a build."""
_KINDS = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.CHRTYPE: "character device"}


def _line(layer: tarfile.TarFile, entry: tarfile.TarInfo, tree: Mapping[str, str]) -> str:
    if entry.islnk():
        return tree[entry.linkname.removeprefix("./").strip("/")]
    time = "old" if entry.mtime == OLD else "new"
    if entry.issym():
        return f"link {entry.uid}:{entry.gid} {time} {entry.linkname}"
    told = f"{_KINDS.get(entry.type, 'other')} {stat.S_IMODE(entry.mode):o} {entry.uid}:{entry.gid} {time}"
    file = layer.extractfile(entry)
    return f"{told} {_content(file.read())}" if file is not None else told


def _content(data: bytes) -> str:
    return repr(data.decode("ascii", "backslashreplace")) if len(data) < 200 else hashlib.sha256(data).hexdigest()[:12]


KEYS = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "OnBuild", "StopSignal",
    "Shell", "Healthcheck",
)  # fmt: skip
