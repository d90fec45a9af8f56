"""Drives a conmon executable: bundles of busybox, its pipes and sockets, what it leaves on disk."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import uuid
from pathlib import Path
from typing import Any

from tests.support import wait

APPLETS = (
    "sh",
    "cat",
    "echo",
    "true",
    "sleep",
    "dd",
    "head",
    "yes",
    "seq",
    "stty",
    "tty",
    "printf",
    "ls",
    "kill",
    "readlink",
    "env",
    "tr",
    "tail",
)
CGROUP_VIEW = r"""
[ -n "$JOURNAL_DIR" ] && mkdir -p /run/systemd/journal && mount --bind "$JOURNAL_DIR" /run/systemd/journal
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] && [ -z "$KEEP_CGROUPS" ]; then
    mount --rbind /sys/fs/cgroup/unified /sys/fs/cgroup 2>/dev/null || mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
exec "$@"
"""
"""crun refuses hybrid cgroups: in a mount namespace of its own it sees cgroup2 alone."""


def in_namespace(argv: list[str]) -> list[str]:
    """Return a command line that runs `argv` as (mapped) root in a mount namespace of its own."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "sh", "-c", CGROUP_VIEW, "sh", *argv]


class Bundle:
    """An OCI bundle in a directory of its own."""

    def __init__(
        self, base: Path, args: list[str], *, terminal: bool = False, resources: Any = None, network: bool = False
    ) -> None:
        self.id = uuid.uuid4().hex * 2
        self.path = base / self.id[:8]
        binaries = self.path / "rootfs/bin"
        binaries.mkdir(parents=True)
        shutil.copy("/bin/busybox", binaries / "busybox")
        for applet in APPLETS:
            (binaries / applet).symlink_to("busybox")
        for name in ("proc", "dev", "tmp"):
            (self.path / "rootfs" / name).mkdir()
        config = self._config(args, terminal, resources)
        if network:
            config["linux"]["namespaces"].append({"type": "network"})
        (self.path / "config.json").write_text(json.dumps(config))

    def _config(self, args: list[str], terminal: bool, resources: Any) -> dict[str, Any]:
        process = {"terminal": terminal, "user": {"uid": 0, "gid": 0}, "args": args, "env": ["PATH=/bin"], "cwd": "/"}
        mounts = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            {
                "destination": "/dev/pts",
                "type": "devpts",
                "source": "devpts",
                "options": ["newinstance", "ptmxmode=0666"],
            },
        ]
        namespaces = [{"type": name} for name in ("pid", "mount", "ipc", "uts")]
        linux: dict[str, Any] = {"namespaces": namespaces}
        if os.geteuid() == 0:
            linux["cgroupsPath"] = f"/podpy-conmon-test/{self.id[:16]}"
        if resources:
            linux["resources"] = resources
        root = {"path": "rootfs"}
        return {"ociVersion": "1.0.2", "process": process, "root": root, "mounts": mounts, "linux": linux}


class Conmon:
    """One call of a conmon; use as a context manager, which ends the container and waits for the monitor's end."""

    def __init__(self, executable: Path, runtime: str, bundle: Path, cid: str, **options: Any) -> None:
        self.executable = executable
        self.runtime = runtime
        self.bundle = bundle
        self.id = cid
        self.exits = bundle / "exits"
        self.exits.mkdir(exist_ok=True)
        self.sync: int = -1
        self.start_pipe: int = -1
        self.attached: socket.socket | None = None
        self.waiter: socket.socket | None = None
        self.options = options
        self.joins = 0  # a process whose user namespace it is started in (for exec sessions, as an ordinary user)
        self.pid = 0
        self.container = 0
        self.stderr = ""

    def argv(self) -> list[str]:
        """The executable's command line, but for what start() adds."""
        manager = ["--runtime-arg=--cgroup-manager=disabled"] if os.geteuid() != 0 and "crun" in self.runtime else []
        return [
            str(self.executable), "--api-version", "1", "-c", self.id, "-u", self.id, "-n", "name", "-r", self.runtime,
            "-b", str(self.bundle), "-p", f"{self.bundle}/pidfile", "-P", f"{self.bundle}/conmon.pid",
            "--exit-dir", str(self.exits), "--full-attach", "--no-sync-log",
            f"--runtime-arg=--root={self.bundle}/state", *manager,
        ]  # fmt: skip

    def start(self, *options: str, log: str | None = "k8s-file:{log}", attach: bool = False, waiter: bool = False,
              start_byte: bytes | None = b"\0", env: dict[str, str] | None = None, pass_fds: tuple[int, ...] = (),
              attach_pipe: bool = False) -> Conmon:  # fmt: skip
        """Run it until its first process has left. `log`: a --log-path, where {log} is the bundle's file `log`."""
        argv = [*self.argv(), *options]
        if log is not None:
            argv += ["-l", log.format(log=self.log_path)]
        self.sync, sync = os.pipe()
        start, self.start_pipe = os.pipe()
        theirs = [sync, start]
        environment = dict(
            os.environ, _OCI_SYNCPIPE=str(sync), _OCI_STARTPIPE=str(start), **self.sanitizer(), **(env or {})
        )
        if attach:
            self.attached, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            argv += ["--attach-fd", str(other.fileno())]
            theirs.append(other.detach())
        if waiter:
            self.waiter, other = socket.socketpair()
            argv += ["--waiter-fd", str(other.fileno())]
            theirs.append(other.detach())
        if attach_pipe:
            self.attach_pipe, end = os.pipe()
            environment["_OCI_ATTACHPIPE"] = str(end)
            theirs.append(end)
        if start_byte is None:
            os.close(self.start_pipe)
            self.start_pipe = -1
        else:
            os.write(self.start_pipe, start_byte)
        done = subprocess.run(self.place(argv), env=environment, pass_fds=(*theirs, *pass_fds), capture_output=True,
                              timeout=wait.PATIENCE, cwd=self.bundle, **self.options)  # fmt: skip
        for fd in theirs:
            os.close(fd)
        self.returncode = done.returncode
        self.stderr = done.stderr.decode()
        pid_file = self.bundle / "conmon.pid"
        self.pid = int(pid_file.read_text()) if pid_file.exists() else 0
        return self

    def sanitizer(self) -> dict[str, str]:
        """Where a sanitizer writes what it finds; it is looked at in close()."""
        where = f"log_path={self.bundle}/sanitizer"
        return {"ASAN_OPTIONS": f"detect_leaks=0:{where}", "UBSAN_OPTIONS": f"print_stacktrace=1:{where}"}

    @property
    def log_path(self) -> Path:
        return self.bundle / "log"

    def report(self) -> dict[str, Any]:
        """The next line of the sync pipe ({} at its end)."""
        line = b""
        while not line.endswith(b"\n"):
            got = os.read(self.sync, 1)
            if not got:
                return {}
            line += got
        return dict(json.loads(line))

    def started(self) -> Conmon:
        """The runtime has ended well: the container's pid is in `container`."""
        report = self.report()
        assert report.get("data", -1) > 0, report
        self.container = report["data"]
        return self

    def run_runtime(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        """Call the runtime by hand."""
        manager = ["--cgroup-manager=disabled"] if os.geteuid() != 0 and "crun" in self.runtime else []
        argv = [self.runtime, f"--root={self.bundle}/state", *manager, *args]
        self.joins = self.joins or self.pid
        return subprocess.run(self.place(argv), capture_output=True, timeout=wait.PATIENCE)

    def place(self, argv: list[str]) -> list[str]:
        """Return a command line that runs `argv` in its namespaces: new ones, or those of the process `joins`."""
        if self.joins and os.geteuid() != 0:
            return ["nsenter", "--user", "--mount", "--preserve-credentials", "-t", str(self.joins), *argv]
        return in_namespace(argv)

    def attach(self) -> socket.socket:
        """A new client of the attach socket."""
        return self._connect("attach", socket.SOCK_SEQPACKET)

    def waits(self) -> socket.socket:
        """A new client of the waiters' socket."""
        return self._connect("waiters", socket.SOCK_STREAM)

    def _connect(self, name: str, kind: socket.SocketKind) -> socket.socket:
        client = socket.socket(socket.AF_UNIX, kind)
        directory = os.open(self.bundle, os.O_PATH)
        try:
            client.connect(f"/proc/self/fd/{directory}/{name}")
        finally:
            os.close(directory)
        client.settimeout(wait.PATIENCE)
        return client

    def wait(self) -> Conmon:
        """Wait until the monitor has gone."""
        wait.for_end(self.pid)
        return self

    def exit_code(self) -> str:
        """Wait for the monitor's end; the exit file's content ("none" if there is no file)."""
        self.wait()
        path = self.exits / self.id
        return path.read_text() if path.exists() else "none"

    def wait_for_exit_file(self) -> str:
        """Wait for the exit file, not for the monitor."""
        path = self.exits / self.id
        wait.until(path.exists, what=f"{path} is there")
        return path.read_text()

    def log_text(self, stream: str | None = None, path: Path | None = None) -> bytes:
        """What a k8s-file log says, put together from its pieces."""
        pieces = []
        for line in (path or self.log_path).read_bytes().splitlines(keepends=True):
            _, name, tag, rest = line.split(b" ", 3)
            assert tag in (b"P", b"F"), line
            if stream is None or name == stream.encode():
                pieces.append(rest if tag == b"F" else rest[:-1])
        return b"".join(pieces)

    def __enter__(self) -> Conmon:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self.attached, self.waiter):
            if end is not None:
                end.close()
        for fd in (self.sync, self.start_pipe):
            if fd >= 0:
                os.close(fd)
        if self.runtime.startswith("/usr") and self.pid:
            self.run_runtime("delete", "--force", self.id)
        elif self.container > 1 and Path(f"/proc/{self.container}").exists():
            with contextlib.suppress(ProcessLookupError):  # it is just ending
                os.kill(self.container, 9)
        if self.pid:
            wait.for_end(self.pid)
        found = [path.read_text() for path in self.bundle.glob("sanitizer*")]
        assert not found, found[0]


def descriptors(pid: int) -> list[str]:
    """What a process holds open beyond stdio."""
    directory = Path(f"/proc/{pid}/fd")
    held = []
    for entry in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if int(entry.name) > 2:
                held.append(os.readlink(entry))
    return held


def read_all(client: socket.socket) -> dict[int, bytes]:
    """All packets until the end: the bytes of each stream (2: stdout, 3: stderr)."""
    parts: dict[int, list[bytes]] = {2: [], 3: []}
    client.settimeout(wait.PATIENCE)
    while packet := client.recv(8193):
        parts[packet[0]].append(packet[1:])
    return {stream: b"".join(pieces) for stream, pieces in parts.items()}


class Reading(threading.Thread):
    """read_all() in the background."""

    def __init__(self, client: socket.socket) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.got: dict[int, bytes] = {}
        self.start()

    def run(self) -> None:
        self.got = read_all(self.client)

    def result(self) -> dict[int, bytes]:
        """Wait for the end of file."""
        self.join(wait.PATIENCE)
        assert not self.is_alive(), "the attach client got no end of file"
        return self.got
