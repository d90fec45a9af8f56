"""Compares two file trees in everything that an image can say about them; a program of its own, too.

    podpy unshare unshare --mount python3 tests/support/trees.py TREE TREE [OCI_LAYOUT]

A TREE is a directory, or `overlay:LOWEST:…:TOPMOST`, layers as overlay keeps them, which it mounts. Compared are names,
types, modes, owners, sizes, contents, modification times, extended attributes, device numbers, link targets, and which
names are one file. Only the standard library is used.

What no archive says is the unpacker's own choice, and with the OCI layout it is passed over: the time of a directory
that the topmost layer with something in it has no entry for, and the mode of a root directory that no layer has an
entry for (Podman: 0555, umoci: 0755).
"""

from __future__ import annotations

import ctypes
import gzip
import hashlib
import json
import os
import stat
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MS_RDONLY = 1
OVERLAY = "overlay:"
IGNORED_ATTRIBUTES = ("user.overlay.", "trusted.overlay.", "security.selinux", "user.rootlesscontainers")
SHOWN = 50


def scan(root: str) -> dict[bytes, dict[str, Any]]:
    """Return what is to be compared of each name below `root` (its own name is empty)."""
    found: dict[bytes, dict[str, Any]] = {}
    names: dict[tuple[int, int], list[bytes]] = {}
    waiting = [b""]
    top = os.fsencode(root)
    while waiting:
        name = waiting.pop()
        path = os.path.join(top, name) if name else top
        status = os.lstat(path)
        found[name] = _facts(path, status)
        if stat.S_ISDIR(status.st_mode):
            waiting += [os.path.join(name, child) for child in os.listdir(path)]
        elif status.st_nlink > 1:
            names.setdefault((status.st_dev, status.st_ino), []).append(name)
    for same in names.values():
        for name in same:
            found[name]["names"] = sorted(same)
    return found


def _facts(path: bytes, status: os.stat_result) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "type": stat.filemode(status.st_mode)[0],
        "mode": oct(stat.S_IMODE(status.st_mode)),
        "owner": (status.st_uid, status.st_gid),
        "mtime": status.st_mtime_ns,
        "attributes": _attributes(path),
    }
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            facts["content"] = hashlib.file_digest(file, "sha256").hexdigest()
    elif stat.S_ISLNK(status.st_mode):
        facts["target"] = os.readlink(path)
    elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        facts["device"] = status.st_rdev
    return facts


def _attributes(path: bytes) -> dict[str, bytes]:
    names = os.listxattr(path, follow_symlinks=False)
    return {
        name: os.getxattr(path, name, follow_symlinks=False)
        for name in sorted(names)
        if not name.startswith(IGNORED_ATTRIBUTES)
    }


def differences(one: str, other: str, unsaid: frozenset[tuple[bytes, str]] = frozenset()) -> list[str]:
    """Return a line for each difference that isn't in what is `unsaid`: (name, "mtime" or "mode")."""
    first, second = scan(one), scan(other)
    lines = []
    for name in sorted(first.keys() | second.keys()):
        shown = name.decode(errors="backslashreplace") or "."
        if name not in first or name not in second:
            lines.append(f"{shown}: only in {one if name in first else other}")
            continue
        for key in sorted(first[name].keys() | second[name].keys()):
            here, there = first[name].get(key), second[name].get(key)
            if here != there and (name, key) not in unsaid:
                lines.append(f"{shown}: {key}: {here} / {there}")
    return lines


def unsaid_by(layers: list[list[tarfile.TarInfo]]) -> frozenset[tuple[bytes, str]]:
    """Return what these archives leave to the unpacker: (name, "mtime" or "mode"); see above."""
    said: dict[str, bool] = {}
    ever: set[str] = set()
    for members in layers:
        touched: set[str] = set()
        entries = set()
        for member in members:
            name = os.path.normpath("/" + member.name).lstrip("/")
            if member.isdir():
                entries.add(name)
            touched.add(name)
            while name:
                name = os.path.dirname(name)
                touched.add(name)
        said.update({name: name in entries for name in touched})
        ever |= entries
    unsaid = {(os.fsencode(name), "mtime") for name, known in said.items() if not known}
    return frozenset(unsaid if "" in ever else unsaid | {(b"", "mode")})


def layers_of(layout: Path) -> list[list[tarfile.TarInfo]]:
    """Return the entries of each layer in an OCI layout with one image of gzip layers, lowest first."""

    def blob(digest: str) -> Path:
        return layout / "blobs" / digest.replace(":", "/")

    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_bytes())
    found = []
    for layer in manifest["layers"]:
        with gzip.open(blob(layer["digest"])) as stream, tarfile.open(fileobj=stream, errors="surrogateescape") as tar:
            found.append(tar.getmembers())
    return found


@contextmanager
def place(text: str) -> Iterator[str]:
    """The directory of a TREE, mounted if it is layers."""
    if not text.startswith(OVERLAY):
        yield text
        return
    layers = text.removeprefix(OVERLAY).split(":")
    with tempfile.TemporaryDirectory(prefix="tree-", dir="/tmp") as base:
        target, empty = os.path.join(base, "target"), os.path.join(base, "empty")
        os.mkdir(target)
        os.mkdir(empty)
        _mount([empty, *layers] if len(layers) == 1 else layers, target)  # overlay wants two if nothing is written
        try:
            yield target
        finally:
            ctypes.CDLL(None).umount2(target.encode(), 0)


def _mount(layers: list[str], target: str) -> None:
    options = "userxattr,lowerdir=" + ":".join(reversed(layers))
    library = ctypes.CDLL(None, use_errno=True)
    if library.mount(b"overlay", target.encode(), b"overlay", MS_RDONLY, options.encode()) < 0:
        raise OSError(ctypes.get_errno(), "mount of overlay: " + os.strerror(ctypes.get_errno()), options)


def main(arguments: list[str]) -> int:
    """Print up to 50 differences; return 1 if there are any."""
    unsaid = unsaid_by(layers_of(Path(arguments[2]))) if len(arguments) > 2 else frozenset()
    with place(arguments[0]) as one, place(arguments[1]) as other:
        lines = differences(one, other, unsaid)
    print("\n".join(lines[:SHOWN]) or "no difference")
    if len(lines) > SHOWN:
        print(f"and {len(lines) - SHOWN} more")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
