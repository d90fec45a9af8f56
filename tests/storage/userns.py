"""Run a test's body where podpy's storage works: as an unprivileged user, as root of a user and mount namespace."""

from __future__ import annotations

import ctypes
import functools
import importlib
import os
import pickle
import pkgutil
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import podpy.storage
from podpy.storage.layers import filesystem
from tests.support import places
from tests.support.users import RANGE, User, unprivileged_user

CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18

# The child is a user who perhaps can't read this checkout (root's home): what storage imports late is here already.
for _found in pkgutil.iter_modules(podpy.storage.__path__):
    importlib.import_module(f"podpy.storage.{_found.name}")


def in_userns(body: Callable[..., None]) -> Callable[..., None]:
    """Decorate a test: its body runs in a forked child, and fails the test if it raises there."""

    @functools.wraps(body)
    def wrapper(*arguments: object, **named: object) -> None:
        run_in_userns(lambda: body(*arguments, **named))

    return wrapper


def run_in_userns(function: Callable[[], object]) -> object:
    """Return what `function` returns in a child that is root of a user namespace of the unprivileged user."""
    user = unprivileged_user()
    ready, go, result = os.pipe(), os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _child(function, user, ready[1], go[0], result[1])
    for end in (ready[1], go[0], result[1]):
        os.close(end)
    os.read(ready[0], 1)
    _write_maps(child, user)
    os.write(go[1], b".")
    os.close(go[1])
    with os.fdopen(result[0], "rb") as stream:
        data = stream.read()
    os.close(ready[0])
    os.waitpid(child, 0)
    value, error, skipped = pickle.loads(data) if data else (None, "the child died", "")
    if skipped:
        pytest.skip(skipped)
    assert not error, error
    return value


def _child(function: Callable[[], object], user: User, ready: int, go: int, result: int) -> None:
    value, error, skipped = None, "", ""
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(user.gid, user.gid, user.gid)
            os.setresuid(user.uid, user.uid, user.uid)
        _libc("unshare", CLONE_NEWUSER | CLONE_NEWNS)
        _libc(
            "prctl", 4, 1, 0, 0, 0
        )  # PR_SET_DUMPABLE: setresuid took it away, and /proc/PID/uid_map belongs to root then
        os.write(ready, b".")
        os.read(go, 1)
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        _libc("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        os.umask(0o022)
        value = function()
    except pytest.skip.Exception as reason:
        skipped = str(reason)
    except BaseException:
        error = traceback.format_exc()
    os.write(result, pickle.dumps((value, error, skipped)))
    os._exit(0)


def _write_maps(child: int, user: User) -> None:
    assert user.subuid is not None, f"{user.name} has no subordinate ids"
    for name, own in (("uid", user.uid), ("gid", user.gid)):
        lines = [(0, own, 1), (1, user.subuid, RANGE)]
        if os.geteuid() == 0:
            Path(f"/proc/{child}/{name}_map").write_text("".join(f"{a} {b} {c}\n" for a, b, c in lines))
        else:
            numbers = [str(number) for line in lines for number in line]
            subprocess.run([f"new{name}map", str(child), *numbers], check=True)


def _libc(name: str, *arguments: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


@contextmanager
def own_directory() -> Iterator[Path]:
    """A directory that belongs to the caller (root of the namespace), on a real file system; removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="podpy-storage-", dir=places.choose()))
    try:
        yield path
    finally:
        filesystem.remove_tree(str(path))


@contextmanager
def small_filesystem(megabytes: int) -> Iterator[Path]:
    """A tmpfs of this size."""
    path = Path(tempfile.mkdtemp(prefix="podpy-small-", dir="/tmp"))
    _libc("mount", b"tmpfs", str(path).encode(), b"tmpfs", 0, f"size={megabytes}m,mode=700".encode())
    try:
        yield path
    finally:
        _libc("umount2", str(path).encode(), 2)
        shutil.rmtree(path)
