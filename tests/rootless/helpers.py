"""Calls into podpy's Python as the test's user, and machines that lack something: mounts over /etc, /usr, /tmp."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.engine import CHECKOUT, Podpy, Result


def python(podpy: Podpy, code: str, *args: str, env: dict[str, str] | None = None) -> Result:
    """Run Python code that can import podpy, as the test's user."""
    return podpy.run([sys.executable, "-c", code, *args], env={**python_environment(podpy), **(env or {})})


def python_environment(podpy: Podpy) -> dict[str, str]:
    """Return the variables with which Python finds the package that is tested."""
    package = podpy.launcher.parents[1]
    source = package.parent if (package / "__init__.py").exists() else CHECKOUT / "src"
    return {"PYTHONPATH": os.fspath(source), "PYTHONDONTWRITEBYTECODE": "1"}


def in_changed_host(
    podpy: Podpy, changes: str, *args: str, env: dict[str, str] | None = None, without: tuple[str, ...] = ()
) -> Result:
    """Run podpy as the test's user where root has first run `changes` (shell) in a mount namespace of its own.

    Needs root with the right to mount. `without` names variables that are left out of the environment.
    """
    user = podpy.user
    become = f"setpriv --reuid {user.uid} --regid {user.gid} --init-groups"
    script = f'set -e; {changes}\nexec {become} "$@"'
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *podpy.command(*args)]
    environment = {key: value for key, value in podpy.environment(env).items() if key not in without}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd="/", stdin=subprocess.DEVNULL, timeout=60
    )
    return Result(command, done.returncode, done.stdout, done.stderr)


_FORBIDDING = """
import os, sys
from podpy import linux
ready, ready_end = os.pipe()
go, go_end = os.pipe()
child = os.fork()
if child == 0:
    linux.unshare(linux.CLONE_NEWUSER)
    os.write(ready_end, b"x")
    os.read(go, 1)
    with open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
    os.execvp("setpriv", ["setpriv", *sys.argv[1:]])
os.read(ready, 1)
for name in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{name}", "w") as file:
        file.write("0 0 4294967295")
os.write(go_end, b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def where_user_namespaces_are_forbidden(podpy: Podpy, *args: str) -> Result:
    """Run podpy as the test's user in a user namespace with all ids whose user.max_user_namespaces is 0. Needs root."""
    user = podpy.user
    become = [f"--reuid={user.uid}", f"--regid={user.gid}", "--init-groups"]
    command = [sys.executable, "-c", _FORBIDDING, *become, *podpy.command(*args)]
    environment = {**podpy.environment(), **python_environment(podpy)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", timeout=60)
    return Result(command, done.returncode, done.stdout, done.stderr)


def holder_fields(podpy: Podpy) -> list[str]:
    """Return the words of the holder's record."""
    return (podpy.runroot / "holder").read_text().split()


def holder_pid(podpy: Podpy) -> int:
    """Return the recorded holder's pid."""
    return int(holder_fields(podpy)[0])


def namespace(podpy: Podpy, kind: str = "user") -> str:
    """Return the namespace that a podpy call is in, as the kernel names it."""
    return podpy.ok("unshare", "readlink", f"/proc/self/ns/{kind}")


def id_map(podpy: Podpy) -> list[list[int]]:
    """Return the uid map inside."""
    return parse_map(podpy.ok("unshare", "cat", "/proc/self/uid_map"))


def parse_map(text: str) -> list[list[int]]:
    """Return the numbers of a uid_map."""
    return [[int(word) for word in line.split()] for line in text.splitlines()]


def write_as_root(path: Path, text: str, mode: int = 0o644) -> Path:
    """Write a file with a mode and return its path."""
    path.write_text(text)
    path.chmod(mode)
    return path
