"""The keywords of `containers.run` and `containers.create`: docker-py's names where it has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from podpy.spec.container import Mount, SecretUse, Ulimit
from podpy.spec.health import Health

Pairs = Mapping[str, str] | Sequence[str]
"""{"NAME": "VALUE"}, or ["NAME=VALUE"]."""
HostPort = int | str | tuple[str, int] | Sequence[int] | None
"""A port of this machine, (address, port), several ports, or None: one that is free."""


class Options(TypedDict, total=False):
    """What may be said of a container besides its image and command. What isn't said is as containers.conf has it."""

    name: str
    environment: Pairs
    labels: Pairs
    annotations: Mapping[str, str]
    entrypoint: str | Sequence[str]  # a text is read as JSON's list, or is one word
    user: str | int
    group_add: Sequence[str | int]
    working_dir: str
    hostname: str
    tty: bool
    stdin_open: bool
    init: bool
    remove: bool  # `--rm`: it goes with its end
    pod: str  # name or id of the pod that it belongs to
    requires: Sequence[str]  # containers that are started first

    # Files
    volumes: Mapping[str, str | Mapping[str, str]] | Sequence[str]  # {SOURCE: TARGET or {"bind": …, "mode": …}}
    volumes_from: Sequence[str]
    mounts: Sequence[Mount | str]  # a text as in `--mount`
    tmpfs: Mapping[str, str] | Sequence[str]  # {TARGET: OPTIONS}
    read_only: bool
    shm_size: int | str  # bytes, or "64m"
    secrets: Sequence[SecretUse | str]  # a text as in `--secret`

    # Network
    network: str | Sequence[str]  # mode or name, as in `--network`; several names: on all of them
    ports: Mapping[int | str, HostPort] | Sequence[str]  # {80: 8080}, {"53/udp": None}, ["8080:80"]
    publish_all_ports: bool
    expose: Sequence[int | str]
    dns: Sequence[str]
    dns_search: Sequence[str]
    dns_opt: Sequence[str]
    extra_hosts: Pairs  # {"NAME": "ADDRESS"}, or ["NAME:ADDRESS"]

    # Rights and namespaces
    privileged: bool
    cap_add: Sequence[str]
    cap_drop: Sequence[str]
    security_opt: Sequence[str]
    devices: Sequence[str]  # as in `--device`; CDI names, too
    sysctls: Mapping[str, str | int]
    ulimits: Sequence[Ulimit | str]  # a text as in `--ulimit`
    pid_mode: str
    ipc_mode: str
    uts_mode: str
    userns_mode: str
    cgroup_parent: str

    # Limits
    mem_limit: int | str  # bytes, or "512m"; likewise the next two
    memswap_limit: int | str
    mem_reservation: int | str
    cpus: float
    cpu_shares: int
    cpuset_cpus: str
    pids_limit: int
    oom_score_adj: int

    # Life
    restart_policy: str | Mapping[str, str | int]  # "on-failure:3", or {"Name": …, "MaximumRetryCount": …}
    healthcheck: Health | Mapping[str, str | int | Sequence[str]]  # of a Mapping: test, and times in nanoseconds
    stop_signal: str | int
    stop_timeout: int  # seconds
    timeout: int  # seconds after which it is ended; 0: never
    log_driver: str
    log_options: Pairs


OTHER_NAMES = {
    "auto_remove": "remove", "network_mode": "network", "env": "environment", "workdir": "working_dir",
    "nano_cpus": "cpus", "log_config": "log_driver and log_options", "cpu_quota": "cpus", "cpu_period": "cpus",
    "memory": "mem_limit", "restart": "restart_policy", "publish": "ports", "rm": "remove",
    "device_requests": "devices", "health": "healthcheck", "volume": "volumes", "label": "labels",
    "secret": "secrets", "stdin": "stdin_open",
}  # fmt: skip
"""Names of other libraries and of the command line, and what is called so here."""
