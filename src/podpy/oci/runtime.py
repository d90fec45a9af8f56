"""crun or runc: one method for each of their commands (`crun --help`, `runc --help`)."""

from __future__ import annotations

import os

from podpy import fastjson, files, process
from podpy.errors import CommandNotFoundError, ConfigError, NotFoundError, NotSupportedError, RuntimeFailedError
from podpy.oci.failures import explain_runtime_error, logged_error
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths
    from podpy.process import Finished

PREFERRED = ("crun", "runc")
# Each one's state file in root/ID: it shows which runtime made a container.
_STATE_FILES = {"crun": "status", "runc": "state.json"}
_SIGNALLED = 128  # an exit code above it: a signal
_BROKEN_PIPE = _SIGNALLED + 13  # SIGPIPE
_START_FIFO = "exec.fifo"  # in root/ID of both between `create` and `start`
_GONE = ("does not exist", "no such file or directory", "container not running", "no such process")


class OciRuntime(Record):
    """An OCI runtime and its state directory (`root`)."""

    path: str
    root: str
    flags: tuple[str, ...] = ()  # --runtime-flag: more global options, with their dashes
    environ: Mapping[str, str] = {}  # its environment: the caller's, without LISTEN_FDS

    @classmethod
    def find(
        cls, name: str, conf: ContainersConf, paths: Paths, environ: Mapping[str, str], *, flags: Sequence[str] = ()
    ) -> OciRuntime:
        """Return the runtime called `name` (a name or a path; "": containers.conf's, else crun, else runc).

        Raises ConfigError if there is none.
        """
        root = state_root(paths)
        wanted = tuple(f"--{flag.lstrip('-')}" for flag in flags)
        candidates = [name] if name else list(dict.fromkeys([conf.runtime, *PREFERRED]))
        for candidate in candidates:
            path = _locate(candidate, conf)
            if path:
                return cls(path=path, root=root, flags=wanted, environ=environ)
        raise ConfigError(
            f"no OCI runtime: {' and '.join(candidates)} not found",
            hint="Install the package crun, or name one: --runtime PATH",
        )

    @property
    def name(self) -> str:
        """The program's name: crun or runc."""
        return os.path.basename(self.path)

    @property
    def arguments(self) -> list[str]:
        """The global options that every call needs."""
        return ["--root", self.root, *self.flags]

    def start(self, container_id: str) -> None:
        """Start a created container. Raises the error of a failed command (exit codes 125, 126, 127)."""
        self._call("start", container_id)

    def kill(self, container_id: str, signal: int, *, all: bool = False) -> None:
        """Send a signal to the container's first process, or to all of them. An ended container is no error."""
        try:
            self._call("kill", *(["--all"] if all else []), container_id, str(signal))
        except RuntimeFailedError as error:
            if _says_gone(error):
                return
            if not all:
                raise
            # Without a cgroup the runtime can't find all of them; in a pid namespace the others end with the first.
            self.kill(container_id, signal)

    def delete(self, container_id: str, *, force: bool = False) -> None:
        """Remove a container from the runtime; with `force`, kill it first. An unknown one is no error."""
        if not os.path.isdir(os.path.join(self.root, container_id)):
            return
        finished = self._finished("delete", *(["--force"] if force else []), container_id)
        # crun's last step but one is to write the container's state to its last hooks: one that ends without reading
        # it ends crun by SIGPIPE (seen with 1.8.1). The processes and the cgroup are gone by then.
        if finished.code == _BROKEN_PIPE and self.forget(container_id):
            return
        try:
            self._output(finished)
        except RuntimeFailedError as error:
            if not _says_gone(error):
                raise

    def forget(self, container_id: str) -> bool:
        """Do the work of `delete` without starting the runtime; all of the container's processes have ended.

        For crun that is the removal of root/ID and of an empty cgroup (crun, src/libcrun/container.c,
        container_delete_internal); systemd removes an empty scope. Returns False if there is more to do: then call
        `delete`.
        """
        directory = os.path.join(self.root, container_id)
        if self.name != "crun":
            return False
        try:
            status = fastjson.loads(files.read(os.path.join(directory, "status")))
            cgroup = status.get("cgroup-path") or ""
            if cgroup and not status.get("systemd-cgroup"):
                _rmdir("/sys/fs/cgroup" + cgroup)
            for name in os.listdir(directory):
                os.unlink(os.path.join(directory, name))
            os.rmdir(directory)
        except FileNotFoundError:
            return not os.path.exists(directory)
        except (OSError, ValueError, AttributeError):
            return False  # a cgroup with children, a directory instead of a file, another crun's format
        return True

    def state(self, container_id: str) -> dict[str, Any]:
        """Return the document that `state` prints (runtime-spec, runtime.md). Raises RuntimeFailedError."""
        result: dict[str, Any] = fastjson.loads(self._call("state", container_id))
        return result

    def pause(self, container_id: str) -> None:
        """Freeze all processes. Raises NotSupportedError if the container has no cgroup."""
        self._freeze("pause", container_id)

    def resume(self, container_id: str) -> None:
        """Thaw all processes. Raises NotSupportedError if the container has no cgroup."""
        self._freeze("resume", container_id)

    def update(self, container_id: str, resources: dict[str, Any], *, directory: str) -> None:
        """Change the limits of a container's cgroup (linux.resources). `directory` is for a temporary file.

        Raises RuntimeFailedError.
        """
        path = os.path.join(directory, f".update-{os.getpid()}-{os.urandom(6).hex()}.json")
        try:
            _write(path, fastjson.dumps(resources))
            self._call("update", f"--resources={path}", container_id)
        finally:
            files.unlink(path)

    def ps(self, container_id: str) -> list[int]:
        """Return the pids of the container's processes, as the host sees them. Raises RuntimeFailedError."""
        return [int(pid) for pid in fastjson.loads(self._call("ps", "--format", "json", container_id)) or ()]

    def exec_command(
        self, container_id: str, process_file: str, *, preserved: Sequence[int] = (), log: str = ""
    ) -> list[str]:
        """Return the command line that runs the process in a file (OCI `process`) in a running container."""
        words = [self.path_for(container_id), *self.arguments]
        if log:
            words += [f"--log={log}", "--log-format=json"]
        words += ["exec", "--process", process_file]
        if preserved:
            words += ["--preserve-fds", str(max(preserved) - 2)]  # it counts from descriptor 3
        return [*words, container_id]

    def exec_attached(
        self,
        container_id: str,
        process_document: dict[str, Any],
        *,
        directory: str,
        on_start: Callable[[int], None],
        preserved: Sequence[int] = (),
        streams: tuple[int, int, int],
    ) -> int:
        """Run a process in a running container and return its exit code.

        `directory`: a new directory for the process's description and the runtime's log. `on_start` is called with the
        runtime's pid. `streams`: stdin, stdout and stderr; -1 for /dev/null. Raises CommandNotFoundError,
        CommandNotExecutableError, RuntimeFailedError.
        """
        os.mkdir(directory, 0o700)
        description, log = f"{directory}/process.json", f"{directory}/runtime.log"
        try:
            _write(description, fastjson.dumps(process_document))
            pid = process.spawn(
                self.exec_command(container_id, description, preserved=preserved, log=log),
                environment=self.environ,
                stdin=streams[0],
                stdout=streams[1],
                stderr=streams[2],
                keep=preserved,
                null=process.gaps(preserved),
            )
            on_start(pid)
            code = process.wait(pid)
            said = logged_error(log) if code else ""
        finally:
            for path in (description, log):
                files.unlink(path)
            _rmdir(directory)
        if said:
            error = explain_runtime_error(said, self.name)
            error.already_told = True  # the runtime has the command's stderr, and has written its message there
            raise error
        assert code is not None
        return code

    def _freeze(self, verb: str, container_id: str) -> None:
        try:
            self._call(verb, container_id)
        except RuntimeFailedError as error:
            if "cgroup" not in error.message and "freez" not in error.message:
                raise
            raise NotSupportedError(
                f"can't {verb} this container: it has no cgroup of its own ({error.message})",
                hint="podpy info shows the cgroup manager; a login session with systemd gives one",
            ) from None

    def require_state(self, container_id: str) -> None:
        """Raise CommandNotFoundError, as Podman does, if the runtime's state of a container is gone: crun's own message
        would go to the command's standard error.
        """
        paths = [os.path.join(self.root, container_id, file) for file in _STATE_FILES.values()]
        if self.name in _STATE_FILES and not any(map(os.path.exists, paths)):
            said = f"{self.name}: error opening file `{paths[0]}`: No such file or directory"
            raise CommandNotFoundError(
                f"{said}: OCI runtime attempted to invoke a command that was not found",
                hint="Somebody has removed it; the container can only be stopped: podpy restart CONTAINER",
            )

    def path_for(self, container_id: str) -> str:
        """Return the path of the runtime that made this container: it may not be this call's `--runtime`."""
        if self.name not in _STATE_FILES:
            return self.path
        for name, file in _STATE_FILES.items():
            if name != self.name and os.path.exists(os.path.join(self.root, container_id, file)):
                return process.find(name)
        return self.path

    def _call(self, verb: str, *words: str) -> bytes:
        """Run a command of the runtime whose last or second-last word is the container's id; return its output."""
        return self._output(self._finished(verb, *words))

    def _finished(self, verb: str, *words: str) -> Finished:
        container_id = next(word for word in words if not word.startswith("-") and word != "json")
        command = [self.path_for(container_id), *self.arguments, verb, *words]
        return process.run(command, environment=self.environ)

    def _output(self, finished: Finished) -> bytes:
        if finished.code > _SIGNALLED and not finished.error_text():
            raise explain_runtime_error(f"it ended with signal {finished.code - _SIGNALLED}", self.name)
        if finished.code:
            raise explain_runtime_error(finished.error_text(), self.name)
        return finished.stdout


def has_begun(root: str, container_id: str) -> bool | None:
    """Return whether a container's command was started, not only created; None if that can't be known."""
    try:
        there = os.listdir(os.path.join(root, container_id))
    except FileNotFoundError:
        return None
    if _START_FIFO in there:
        return False
    return True if any(name in there for name in _STATE_FILES.values()) else None


def state_root(paths: Paths) -> str:
    """Return the runtimes' state directory (`root`)."""
    return os.path.join(paths.runroot, "oci")


def _locate(name: str, conf: ContainersConf) -> str:
    if "/" not in name:
        for path in conf.runtimes.get(name, []):
            if os.access(path, os.X_OK):
                return path
    try:
        return process.find(name)
    except NotFoundError:
        return ""


def _says_gone(error: RuntimeFailedError) -> bool:
    lower = error.message.lower()
    return any(words in lower for words in _GONE)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _rmdir(path: str) -> None:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        pass  # it was removed with the container, which has ended
