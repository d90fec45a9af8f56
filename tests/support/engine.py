"""The built podpy, run by one user with its own state directories, and the check that it leaves nothing behind."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import places, processes, wait
from tests.support.users import User

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND_VARIABLE = "PODPY_TEST_COMMAND"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TIMEOUT = 120.0


@dataclass(frozen=True)
class Result:
    """What a command printed and its exit code."""

    args: list[str]
    returncode: int
    stdout: str
    stderr: str

    def ok(self) -> str:
        """Return stdout without its last newline. AssertionError with everything printed if the command failed."""
        assert self.returncode == 0, self.describe()
        return self.stdout.removesuffix("\n")

    def fails(self, code: int, *texts: str) -> Result:
        """Assert exit code `code`, each of `texts` in the error text, and no traceback."""
        assert self.returncode == code, self.describe()
        for text in texts:
            assert text in self.stderr, f"no {text!r} in the error text\n{self.describe()}"
        assert "Traceback" not in self.stderr, self.describe()
        return self

    @property
    def complaints(self) -> list[str]:
        """Return the lines on standard error but for hints and where the help is."""
        return [line for line in self.stderr.splitlines() if not line.startswith(("Hint: ", "See 'podpy ", "Try '"))]

    @property
    def warnings(self) -> list[str]:
        """Return the texts of the warnings on standard error, which must hold nothing else."""
        lines = self.stderr.splitlines()
        told = [re.fullmatch(r'time="[^"]+" level=warning msg="(.*)"', line) for line in lines]
        assert all(told), self.describe()
        return [found[1] for found in told if found]

    def describe(self) -> str:
        """Return the command line, the exit code and all output."""
        return (
            f"$ {shlex.join(self.args)}\nexit code {self.returncode}\n"
            f"--- stdout\n{self.stdout}--- stderr\n{self.stderr}---"
        )


class Podpy:
    """Runs podpy as one user with HOME, XDG_DATA_HOME and XDG_RUNTIME_DIR of its own.

    `home` is on a real file system; `runtime_dir` has a short name, since sockets lie in it (sun_path holds 108 bytes).
    """

    def __init__(self, launcher: Path, user: User, base: Path, home: Path | None = None) -> None:
        self.launcher = launcher
        self.user = user
        self.path = PATH
        self.marker = f"PODPY_TEST_ID={secrets.token_hex(8)}"
        self.runtime_dir = Path(tempfile.mkdtemp(prefix="pt-", dir="/tmp"))
        self.home = Path(tempfile.mkdtemp(prefix="home-", dir=base))
        self.data_home = self.home / ".local/share"
        self.data_home.mkdir(parents=True)
        if os.geteuid() != user.uid:
            for path in (self.runtime_dir, self.home, self.home / ".local", self.data_home):
                os.chown(path, user.uid, user.gid)
        self.is_root = user.uid == 0

    @property
    def graphroot(self) -> Path:
        """Where this podpy keeps images and containers."""
        return self.data_home / "containers/podpy"

    @property
    def runroot(self) -> Path:
        """Where this podpy keeps what a reboot may take."""
        return self.runtime_dir / "podpy"

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the whole environment that podpy gets: nothing is inherited."""
        key, _, value = self.marker.partition("=")
        base = {
            "PATH": self.path,
            "HOME": os.fspath(self.home),
            "USER": self.user.name,
            "LOGNAME": self.user.name,
            "LANG": "C.UTF-8",
            "XDG_DATA_HOME": os.fspath(self.data_home),
            "XDG_RUNTIME_DIR": os.fspath(self.runtime_dir),
            key: value,
        }
        base.update(
            {name: value for name, value in os.environ.items() if name.startswith(("ASAN_", "UBSAN_", "PODPY_TEST_"))}
        )
        base.update(extra or {})
        return base

    def command(self, *args: str) -> list[str]:
        """Return the whole command line. As root, the state directories are given as options."""
        own = ["--root", os.fspath(self.graphroot), "--runroot", os.fspath(self.runroot)] if self.is_root else []
        return [os.fspath(self.launcher), *own, *args]

    def __call__(
        self,
        *args: str,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        cwd: str | os.PathLike[str] | None = None,
    ) -> Result:
        """Run podpy to its end and return what came out. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        return self.run(self.command(*args), input=input, env=env, timeout=timeout, cwd=cwd)

    def run(
        self,
        command: list[str],
        *,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        cwd: str | os.PathLike[str] | None = None,
    ) -> Result:
        """Run any command as this user in this environment."""
        data = input.encode() if isinstance(input, str) else input
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if data is None else {"input": data}
        done = subprocess.run(
            command,
            capture_output=True,
            env=self.environment(env),
            timeout=timeout,
            cwd=cwd or self.home,
            **given,
            **self.user.as_popen_arguments(),  # type: ignore[call-overload]
        )
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        return Result(command, done.returncode, out, err)

    def popen(self, *args: str, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """Start podpy and return at once; streams and the rest as `options` for subprocess.Popen say."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("cwd", self.home)
        options.update(self.user.as_popen_arguments())
        return subprocess.Popen(self.command(*args), env=self.environment(env), **options)

    def ok(self, *args: str, **options: Any) -> str:
        """Run podpy, assert that it succeeded, and return its stdout."""
        return self(*args, **options).ok()

    def json(self, *args: str, **options: Any) -> Any:
        """Run podpy, assert that it succeeded, and return what its stdout means as JSON."""
        return json.loads(self.ok(*args, **options))

    def kill_rest(self) -> list[str]:
        """Kill every process that came out of this podpy and return their descriptions."""
        left = processes.mentioning([self.home, self.runtime_dir], self.marker)
        told = [processes.describe(pid) for pid in left]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for pid in left:
            wait.for_end(pid)
        return told

    def close(self) -> None:
        """Remove all containers, end the namespace holder, delete the directories.

        Raises AssertionError if a process or mount is left that podpy itself should have ended.
        """
        problems = self._shut_down() if self.graphroot.exists() else []
        problems += self._leftovers()
        self.kill_rest()
        self._delete()
        assert not problems, "podpy left something behind:\n" + "\n".join(problems)

    def _shut_down(self) -> list[str]:
        results = [self("rm", "--all", "--force", "--time", "0"), self("system", "migrate")]
        return [result.describe() for result in results if result.returncode != 0]

    def _leftovers(self) -> list[str]:
        paths = [self.home, self.runtime_dir]
        try:
            wait.until(lambda: not processes.mentioning(paths, self.marker), what="every process ended")
        except AssertionError:
            left = processes.mentioning(paths, self.marker)
            return ["process " + processes.describe(pid) for pid in left]
        return ["mount " + point for point in processes.mounts_under(paths)]

    def _delete(self) -> None:
        """Delete the state. A user's files belong to subordinate ids: only in a user namespace may it delete them."""
        for path in (self.home, self.runtime_dir):
            if os.geteuid() != 0:
                subprocess.run(["unshare", "--map-root-user", "--map-auto", "rm", "-rf", path], capture_output=True)
            places.remove(path)


def shared_directory(podpy: Podpy) -> Path:
    """Return a new directory of podpy's user, for a volume in which a test and a container meet."""
    path = Path(tempfile.mkdtemp(prefix="shared-", dir=podpy.home))
    os.chown(path, podpy.user.uid, podpy.user.gid)
    return path


def place_engine(base: Path) -> Path:
    """Copy the checkout's built package to where every user can read it and return its launcher.

    With $PODPY_TEST_COMMAND the launcher is that one: an installed podpy is tested.
    """
    given = os.environ.get(COMMAND_VARIABLE)
    if given:
        return Path(given)
    source = CHECKOUT / "src/podpy"
    missing = [name for name in ("_bin/podpy", "_bin/hello") if not (source / name).exists()]
    if missing:
        raise FileNotFoundError(f"not built: {', '.join(missing)}. Run: python setup.py build_ext --inplace")
    target = base / "engine/podpy"
    _copy_built(source, target)
    subprocess.run(["chmod", "-R", "a+rX,u+w", base / "engine"], check=True)
    return target / "_bin/podpy"


def _copy_built(source: Path, target: Path) -> None:
    """Copy the package directory, with byte code and pack, as an installation has them.

    To build these takes 13 seconds of CPU, so one copy is kept: for other workers, and for the next session with the
    same sources.
    """
    kept = CHECKOUT / "build/test-engine"
    kept.mkdir(parents=True, exist_ok=True)
    with open(kept / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = kept / _key(source) / "podpy"
        if not built.exists():
            for other in kept.glob("*/"):
                shutil.rmtree(other)
            _build(source, kept / "new/podpy")
            (kept / "new").rename(built.parent)
        shutil.copytree(built, target)


def _build(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pack"))
    subprocess.run([sys.executable, "-m", "compileall", "-q", target], check=True)  # the user can't write there
    environment = {**os.environ, "PYTHONPATH": os.fspath(target.parent)}
    subprocess.run([sys.executable, "-m", "podpy.pack"], env=environment, check=True, stdout=subprocess.DEVNULL)


def _key(source: Path) -> str:
    """Return a digest of what the built package is made of: the interpreter, and every file's name and content."""
    digest = hashlib.sha256(sys.version.encode())
    for directory, names, files in os.walk(source):
        names[:] = sorted(name for name in names if name != "__pycache__")
        for name in sorted(files):
            if not name.endswith((".pack", ".pyc")):
                path = Path(directory, name)
                digest.update(f"{path.relative_to(source)} {path.stat().st_size} ".encode() + path.read_bytes())
    return digest.hexdigest()
