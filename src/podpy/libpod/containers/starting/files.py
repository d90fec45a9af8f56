"""The files that every container gets: /etc/hosts, /etc/resolv.conf, /etc/hostname, /run/.containerenv, /etc/passwd.

They are written anew into the run directory at each start and bind-mounted by the OCI runtime. A mount of the user's at
the same place wins, and an image that has the file as something else than a file is the runtime's to refuse.
"""

from __future__ import annotations

import os

from podpy.libpod.containers.starting import self_description
from podpy.systemd import notify as sdnotify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.launch import Launch
    from podpy.spec.container import ContainerSpec


def container_files(launch: Launch, spec: ContainerSpec, accounts: dict[str, str]) -> dict[str, str]:
    """Write the files and return where each belongs: path in the container → path on the host.

    `accounts`: texts of passwd and group to be mounted (path in the container → text).
    """
    texts: dict[str, str] = {self_description.PATH: self_description.text(launch.container)}
    other = _whose_network(launch)
    if other is None:
        network = launch.network
        if network.hosts is not None:
            texts["/etc/hosts"] = network.hosts
        if network.resolv_conf is not None:
            texts["/etc/resolv.conf"] = network.resolv_conf
    if not spec.no_hostname:
        own = os.uname().nodename if spec.uts == "host" else spec.hostname or launch.container.id[:12]
        texts["/etc/hostname"] = own + "\n"
    texts.update(accounts)
    taken = {mount.target for mount in spec.mounts}
    written = {target: _write(launch.directory, target, text) for target, text in texts.items() if target not in taken}
    if sdnotify.relayed_socket(spec, launch.engine.caller.environ):
        written[sdnotify.DIRECTORY] = os.path.join(launch.directory, "bundle", "notify")
    return written if other is None else {**other, **written}


def _whose_network(launch: Launch) -> dict[str, str] | None:
    """Return the network files of the container whose namespace is shared, or None if there is none."""
    mode, _, name = launch.container.spec.network.partition(":")
    if mode != "container":
        return None
    directory = launch.engine.run_directory(launch.engine.table.find(name).id)
    shared = {"/etc/hosts": "hosts", "/etc/resolv.conf": "resolv.conf"}
    paths = {target: os.path.join(directory, file) for target, file in shared.items()}
    return {target: path for target, path in paths.items() if os.path.exists(path)}


def _write(directory: str, target: str, text: str) -> str:
    path = os.path.join(directory, os.path.basename(target).lstrip("."))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchmod(descriptor, 0o644)
        file.write(text)
    return path
