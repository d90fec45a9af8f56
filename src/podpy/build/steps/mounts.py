"""RUN --mount: files of the context, stages and images, caches, secrets, agents → mounts of the step's container.

The OCI runtime gets only paths of podpy's own, in a mount namespace that ends with the step: a source is opened beneath
its root once, and its descriptor mounted there. Secrets lie on a tmpfs and in no row: one that becomes a variable is
read by the command's own shell.
"""

from __future__ import annotations

import os
import posixpath
import stat

from podpy import beneath, linux
from podpy.errors import UsageError
from podpy.record import Record
from podpy.spec.container import Mount as SpecMount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import ExitStack

    from podpy.build.reading.mounts import Mount
    from podpy.build.sources import Origin
    from podpy.spec.container import ContainerSpec
    from podpy.storage.store import Store

_SECRETS = "/run/secrets"
_AGENT = "/run/buildkit/ssh_agent.{}"
_PROGRAM = "/dev/pipes/EOF"
_SECRET_MODE, _CACHE_MODE, _PROGRAM_MODE = 0o400, 0o755, 0o755
_LARGEST_SECRET = 500 << 10  # BuildKit's limit


class Wanted(Record):
    """What a RUN mounts. `program`: a here-document that is executed as a file. `secrets`: where each id's content is,
    "env:NAME" or a path; `agents`: each id's socket.
    """

    mounts: tuple[Mount, ...] = ()
    program: str = ""
    secrets: Mapping[str, str] = {}
    agents: Mapping[str, str] = {}


class Mounting:
    """Adds to a container what one RUN mounts. For a process in a mount namespace of its own, which the step's end
    leaves. `stack`: ends with the step.
    """

    def __init__(
        self, store: Store, origin: Callable[[str], Origin], environ: Mapping[str, str], stack: ExitStack
    ) -> None:
        self._store = store
        self._origin = origin
        self._environ = environ
        self._stack = stack
        self._private = ""
        self._made: list[SpecMount] = []
        self._variables: dict[str, str] = {}  # variable → path of the secret
        self._environment: dict[str, str] = {}

    def add(self, spec: ContainerSpec, wanted: Wanted) -> ContainerSpec:
        """Return the spec with the mounts. Raises UsageError, OSError."""
        for mount in wanted.mounts:
            if mount.type == "secret":
                self._secret(mount, wanted.secrets, spec.workdir)
            elif mount.type == "ssh":
                self._agent(mount, wanted.agents)
            else:
                add = {"bind": self._files, "cache": self._cache, "tmpfs": self._tmpfs}[mount.type]
                add(mount, posixpath.join(spec.workdir, mount.target))
        command = spec.command
        if wanted.program:
            path = self._file("program", wanted.program.encode("utf-8", "surrogateescape"), _PROGRAM_MODE, (0, 0))
            self._bind(path, _PROGRAM, "ro")
            command = [_PROGRAM]
        if self._variables:
            told = "; ".join(f'{name}="$(cat {path})"; export {name}' for name, path in self._variables.items())
            command = ["/bin/sh", "-c", f'{told}; exec "$@"', "sh", *command]
        return spec.replace(mounts=[*spec.mounts, *self._made], command=command, env={**spec.env, **self._environment})

    def _place(self, name: str) -> str:
        """Return a path that is free, on a tmpfs that only this step's processes see."""
        if not self._private:
            self._private = self._store.staging.new_path("step")
            os.mkdir(self._private, 0o700)
            linux.mount("tmpfs", self._private, "tmpfs", linux.MS_NODEV | linux.MS_NOSUID, "mode=0700")
        return os.path.join(self._private, f"{name}-{len(os.listdir(self._private))}")

    def _file(self, name: str, content: bytes, mode: int, owner: tuple[int, int]) -> str:
        path = self._place(name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
        os.chown(path, *owner)
        os.chmod(path, mode)
        return path

    def _bind(self, source: str, target: str, *options: str) -> None:
        words = ["rbind", "rprivate", "nosuid", "nodev", *options]
        self._made.append(SpecMount(type="bind", source=source, target=posixpath.normpath(target), options=words))

    def _tmpfs(self, mount: Mount, target: str) -> None:
        size = [f"size={mount.size}"] if mount.size else []
        options = ["ro" if mount.read_only else "rw", "nosuid", "nodev", "notmpcopyup", *size]
        self._made.append(SpecMount(type="tmpfs", target=target, options=options))

    def _files(self, mount: Mount, target: str) -> None:
        source = self._source(mount)
        try:
            is_directory = stat.S_ISDIR(os.fstat(source).st_mode)
            if mount.read_only or is_directory:
                path = self._place("bind")
                beneath.attach(source, path, read_only=True)  # writes go to a layer above it
            else:  # what is written to it is lost
                path = self._copied(source)
        finally:
            os.close(source)
        self._bind(path, target, "ro" if mount.read_only else "O" if is_directory else "rw")

    def _source(self, mount: Mount) -> int:
        """Return an O_PATH descriptor of a mount's files. Raises UsageError."""
        root = self._origin(mount.from_).mounted(self._place("image"))
        try:
            return beneath.open_in_root(root, mount.source or ".", os.O_PATH)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f'mounting "{mount.source}" of {mount.from_ or "the context"}: {reason}') from None

    def _copied(self, source: int) -> str:
        with open(beneath.magic_path(source), "rb") as file:
            return self._file("file", file.read(), stat.S_IMODE(os.fstat(source).st_mode), (0, 0))

    def _cache(self, mount: Mount, target: str) -> None:
        from podpy.storage.build_caches import CacheUse

        owner = (mount.uid or 0, mount.gid or 0)
        mode = _CACHE_MODE if mount.mode is None else mount.mode
        name = mount.id or target
        begun = None
        if mount.from_:
            begun = self._first_files(mount)
            name += f"\0{self._origin(mount.from_).mount_contents(mount.source)}"
        use = self._stack.enter_context(
            CacheUse(self._store, name, sharing=mount.sharing, mode=mode, owner=owner, begun=begun)
        )
        self._bind(use.path, target, "ro" if mount.read_only else "rw")

    def _first_files(self, mount: Mount) -> Callable[[str], None]:
        """Return what fills a cache's new directory: a copy of a directory of a stage, an image or a named context."""

        def fill(path: str) -> None:
            from podpy.storage.layers.copying import copy_tree

            source = self._source(mount)
            try:
                if not stat.S_ISDIR(os.fstat(source).st_mode):
                    raise UsageError(f'the cache\'s source "{mount.source}" is no directory')
                copy_tree(beneath.magic_path(source), path)
            finally:
                os.close(source)

        return fill

    def _secret(self, mount: Mount, secrets: Mapping[str, str], workdir: str) -> None:
        where = secrets.get(mount.id)
        if where is None:
            if mount.required:
                raise UsageError(
                    f'secret required but no secret with id "{mount.id}" found', hint="podpy build --secret"
                )
            return
        owner = (mount.uid or 0, mount.gid or 0)
        mode = _SECRET_MODE if mount.mode is None else mount.mode
        path = self._file("secret", self._content(mount.id, where), mode, owner)
        target = posixpath.join(workdir, mount.target) if mount.target else f"{_SECRETS}/{posixpath.basename(mount.id)}"
        if mount.is_file:
            self._bind(path, target, "ro")
        if mount.env:
            hidden = f"/dev/pipes/secret-{len(self._variables)}"
            self._bind(path, hidden, "ro")
            self._variables[mount.env] = hidden

    def _content(self, identity: str, where: str) -> bytes:
        kind, _, name = where.partition(":")
        if kind == "env":
            return self._environ.get(name, "").encode("utf-8", "surrogateescape")
        try:
            with open(name, "rb") as file:
                content = file.read(_LARGEST_SECRET + 1)
        except OSError as error:
            raise UsageError(f'secret "{identity}": open {name}: {(error.strerror or str(error)).lower()}') from None
        if len(content) > _LARGEST_SECRET:
            raise UsageError(f'secret "{identity}": {name} has more than {_LARGEST_SECRET >> 10} KiB')
        return content

    def _agent(self, mount: Mount, agents: Mapping[str, str]) -> None:
        identity = mount.id or "default"
        socket = agents.get(identity)
        if socket is None:
            if mount.required:
                raise UsageError(f"unset ssh forward key {identity}", hint="podpy build --ssh")
            return
        target = mount.target or _AGENT.format(len(self._environment))
        self._bind(socket, target, "rw")
        self._environment.setdefault("SSH_AUTH_SOCK", target)


def missing(root: str, targets: Sequence[str]) -> list[str]:
    """Return the paths below `root` that mounts at `targets` make: the deepest first."""
    found: set[str] = set()
    for target in targets:
        real = beneath.real_path(root, target)
        parts = real.strip("/").split("/")
        for number in range(len(parts), 0, -1):
            path = "/".join(parts[:number])
            try:
                os.close(beneath.open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW))
                break
            except OSError:
                found.add(path)
    return sorted(found, key=lambda path: -path.count("/"))


def remove_places(tree: str, paths: Sequence[str]) -> None:
    """Remove the places that mounts have left in a step's changes, if nothing was put there."""
    for path in paths:
        parent, _, name = path.rpartition("/")
        try:
            directory = beneath.open_in_root(tree, parent or ".", os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                os.rmdir(name, dir_fd=directory)
            elif stat.S_ISREG(status.st_mode) and not status.st_size:
                os.unlink(name, dir_fd=directory)
        except OSError:
            pass  # it isn't there, or not empty
        finally:
            os.close(directory)
