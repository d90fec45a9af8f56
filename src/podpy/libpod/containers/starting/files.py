"""The files that every container gets: /etc/hosts, /etc/resolv.conf, /etc/hostname, /run/.containerenv, /etc/passwd.

Each start writes them again into the run directory; the OCI runtime bind-mounts them. A user's mount with the same
target replaces them. If the path in the image isn't a file, the runtime refuses it.
"""

from __future__ import annotations

import os

from podpy.libpod.containers.starting import self_description
from podpy.plan import Operation
from podpy.spec.container import NOTIFY_DIRECTORY
from podpy.systemd import notify as sdnotify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.libpod.containers.starting.root import AddAccounts
    from podpy.network.setup import NetworkPlan

_RUN = "/run"


class WriteFiles(Operation):
    """Write the files. Afterwards `paths` (path in the container → path on the host) is complete."""

    def __init__(self, context: StartContext, container: Held, network: NetworkPlan, accounts: AddAccounts) -> None:
        self._context = context
        self._container = container
        self._network = network
        self._accounts = accounts
        self.paths: dict[str, str] = {}

    def describe(self) -> str:
        """Return where they are written."""
        return f"write the container's hosts, resolv.conf, hostname and .containerenv into {self._context.directory}"

    def execute(self) -> None:
        """Write them. Raises UsageError for names that are impossible in a hosts file."""
        context = self._context
        taken = _taken(context)
        self.paths = {path: kept for path, kept in self._others_files().items() if path not in taken}
        owner = context.host_ids(0, 0)
        for path, text in self._texts().items():
            if path not in taken:
                self.paths[path] = _write(context.directory, path, text, owner)
        if sdnotify.relayed_socket(context.spec, context.environ):
            directory = os.path.join(context.directory, "bundle", "notify")
            os.chmod(directory, 0o755)  # the container's user, too, may say something
            self.paths[NOTIFY_DIRECTORY] = directory

    def _texts(self) -> dict[str, str]:
        context, spec = self._context, self._context.spec
        texts = {self_description.PATH: self_description.text(self._container)}
        if self._network.hosts is not None:
            texts["/etc/hosts"] = self._network.hosts
        if self._network.resolv_conf is not None:
            texts["/etc/resolv.conf"] = self._network.resolv_conf
        if not spec.no_hostname:
            own = os.uname().nodename if spec.uts == "host" else context.hostname
            texts["/etc/hostname"] = own + "\n"
        return {**texts, **self._accounts.texts}

    def _others_files(self) -> dict[str, str]:
        """Return the network files of the container whose namespace is joined: the same files, not copies."""
        mode, _, name = self._context.spec.network.partition(":")
        if mode != "container":
            return {}
        engine = self._container.engine
        directory = engine.run_directory(engine.table.find(name).id)
        shared = {"/etc/hosts": "hosts", "/etc/resolv.conf": "resolv.conf"}
        if self._context.spec.no_hosts:
            del shared["/etc/hosts"]
        paths = {path: os.path.join(directory, file) for path, file in shared.items()}
        paths = {path: kept for path, kept in paths.items() if os.path.exists(kept)}
        line = self._network.line_in_joined_hosts
        if line and "/etc/hosts" in paths:
            from podpy.network.bridge import hosts

            hosts.join(paths["/etc/hosts"], [line])
        return paths


def _taken(context: StartContext) -> set[str]:
    """Return the targets of the user's own mounts."""
    taken = {mount.target for mount in context.spec.mounts}
    if any(mount.target == _RUN and mount.type == "bind" for mount in context.spec.mounts):
        taken.add(self_description.PATH)  # the runtime would create its mount point in the user's directory
    return taken


def _write(directory: str, target: str, text: str, owner: tuple[int, int]) -> str:
    path = os.path.join(directory, os.path.basename(target).lstrip("."))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchmod(descriptor, 0o644)
        os.fchown(descriptor, *owner)
        file.write(text)
    return path
