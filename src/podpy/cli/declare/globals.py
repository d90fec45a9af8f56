"""The global options: before the command, and those marked persistent also after it."""

from __future__ import annotations

from podpy.cli.declare.model import DIRECTORIES, FILES, SWITCH, Option, flag, many, text

_REMOTE = "podpy is an engine for this machine: it has no remote client. Log in there with ssh and run podpy there"
_NO_IMAGE_STORE = "images are in the graph root: use --root, or copy them: podpy pull --all-tags containers-storage:"
_LOG_LEVELS = ("trace", "debug", "info", "warn", "warning", "error", "fatal", "panic")

# Podman's "persistent" flags: `podman run --log-level=debug …` works like `podman --log-level=debug run …`.
PERSISTENT_OPTIONS: tuple[Option, ...] = (
    text("--cgroup-manager", "MANAGER", "How cgroups are made", choices=("systemd", "cgroupfs")),
    text("--conmon", "PATH", "Container monitor to start", complete=FILES),
    text("--events-backend", "NAME", "Where events are kept", choices=("file", "journald", "none")),
    many("--hooks-dir", "DIR", "Directory with OCI hooks", complete=DIRECTORIES),
    many("--cdi-spec-dir", "DIR", "Directory with CDI device descriptions", complete=DIRECTORIES),
    text("--imagestore", "DIR", "Another place for images", complete=DIRECTORIES, refuse=_NO_IMAGE_STORE),
    text("--log-level", "LEVEL", "How much to say about what goes on", default="warn", choices=_LOG_LEVELS),
    text("--network-cmd-path", "PATH", "Path of slirp4netns", complete=FILES, hidden=True),
    text(
        "--network-config-dir",
        "DIR",
        "Directory with network configurations",
        complete=DIRECTORIES,
        aliases=("--cni-config-dir",),
    ),
    text("--root", "DIR", "Directory for images and containers", complete=DIRECTORIES),
    text("--runroot", "DIR", "Directory for what a reboot may take", complete=DIRECTORIES),
    text("--runtime", "PATH", "OCI runtime to use: a name or a path (default: crun, then runc)", complete=FILES),
    many("--runtime-flag", "FLAG", "Global option for the OCI runtime, without its dashes"),
    text(
        "--storage-driver",
        "DRIVER",
        "How image layers are put together",
        choices=("overlay", "fuse-overlayfs", "vfs"),
        env="STORAGE_DRIVER",
    ),
    many("--storage-opt", "KEY=VALUE", "Option for the storage driver"),
    flag("--syslog", "Send log messages to syslog too"),
    text("--tmpdir", "DIR", "Directory for run-time state (Podman's name for --runroot)", complete=DIRECTORIES),
    flag("--transient-store", "Keep new containers only until the next boot"),
    text("--volumepath", "DIR", "Directory for this store's volumes, from the first one on", complete=DIRECTORIES),
    text("--cpu-profile", "FILE", "Podman's own debugging", hidden=True),
    text("--memory-profile", "FILE", "Podman's own debugging", hidden=True),
    text("--db-backend", "NAME", "Podman's database choice; podpy has SQLite", hidden=True),
    text("--default-mounts-file", "FILE", "Mounts for every container", hidden=True),
    text("--max-workers", "N", "Parallel operations", hidden=True),
    many("--pull-option", "OPTION", "Details of pulling", hidden=True),
    text("--registries-conf", "FILE", "registries.conf to use", hidden=True, complete=FILES),
)

LOCAL_OPTIONS: tuple[Option, ...] = (
    text("--config", "DIR", "Directory with the credentials file (as Docker's)", complete=DIRECTORIES),
    many("--module", "FILE", "Additional containers.conf module", complete=FILES),
    text("--out", "FILE", "Write standard output to this file", complete=FILES),
    flag("--noout", "Write nothing to standard output", hidden=True),
    flag("--debug -D", "The same as --log-level=debug", hidden=True),
    text("--context", "NAME", "Accepted for Docker's scripts; does nothing", default="default", hidden=True),
    flag("--version -v", "Print the version and exit"),
    Option(names=("--remote", "-r"), kind=SWITCH, help="Use a remote service", hidden=True, refuse=_REMOTE),
    text("--url", "URL", "Remote service", hidden=True, refuse=_REMOTE),
    text("--host -H", "URL", "Remote service", hidden=True, refuse=_REMOTE),
    text("--connection -c", "NAME", "Remote service", hidden=True, refuse=_REMOTE),
    text("--identity", "FILE", "Key for a remote service", hidden=True, refuse=_REMOTE),
    text("--ssh", "MODE", "Kind of ssh client", hidden=True, refuse=_REMOTE),
    text("--tls-ca", "FILE", "For a remote service", hidden=True, refuse=_REMOTE),
    text("--tls-cert", "FILE", "For a remote service", hidden=True, refuse=_REMOTE),
    text("--tls-key", "FILE", "For a remote service", hidden=True, refuse=_REMOTE),
    text("--tls-details", "FILE", "YAML that says which TLS registries are spoken to with", complete=FILES),
)

GLOBAL_OPTIONS: tuple[Option, ...] = (*PERSISTENT_OPTIONS, *LOCAL_OPTIONS)
