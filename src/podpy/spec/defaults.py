"""Fill in what a caller leaves to containers.conf, once, when a container is made (containers.conf(5)).

A scalar setting fills a field that is AS_CONFIGURED. Lists (annotations, devices, mounts, sysctls, ulimits, variables)
are merged; for the same target or name the caller's item wins.
"""

from __future__ import annotations

import os

from podpy.errors import ConfigError, UsageError
from podpy.spec.proxies import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from podpy.config.containers_conf import ContainersConf
    from podpy.spec.container import ContainerSpec, PortMapping

_SHM_SIZE = 65536000  # bytes: containers.conf's "65536k"; Podman takes the k as 1000
_BUILT_IN_PIDS = 2048
_SMALLEST_LOG = 8192  # bytes: the size of one read of conmon's
_UNCONFINED = "unconfined"
_PODMANS_PROFILES = "container"  # the prefix of Podman's own AppArmor profiles

_SETTINGS = {
    "env_host": "env_host",
    "http_proxy": "http_proxy",
    "umask": "umask",
    "timezone": "tz",
    "init": "init",
    "init_path": "init_path",
    "stop_timeout": "stop_timeout",
    "image_volume": "image_volume_mode",
    "read_only": "read_only",
    "shm_size": "shm_size",
    "privileged": "privileged",
    "capabilities": "default_capabilities",
    "pid": "pidns",
    "ipc": "ipcns",
    "uts": "utsns",
    "cgroupns": "cgroupns",
    "userns": "userns",
    "cgroups": "cgroups",
    "network": "netns",
    "dns": "dns_servers",
    "dns_search": "dns_searches",
    "dns_options": "dns_options",
    "no_hosts": "no_hosts",
    "hosts_file": "base_hosts_file",
    "log_driver": "log_driver",
}
"""Field of ContainerSpec: the key of containers.conf that replaces AS_CONFIGURED."""

_BUILT_IN: dict[str, Any] = {
    "shm_size": _SHM_SIZE,
    "userns": "host",
    "image_volume": "",
    "network": "",
    "log_driver": "k8s-file",
}
"""The value of a field whose key is unset or empty, where it differs from the key's built-in value."""

_READ = frozenset(
    "umask timezone image_volume shm_size pid ipc uts cgroupns userns cgroups network dns dns_search log_driver".split()
)
"""Fields whose keys' texts must be parsed (`spec.configured`)."""

_LISTS = ("annotations", "default_ulimits", "devices", "mounts", "volumes")
"""Keys whose values are added to the caller's. default_sysctls, which distributions set, are added, too."""


def with_defaults(
    spec: ContainerSpec, conf: ContainersConf, environ: Mapping[str, str], *, rootless: bool, directory: str = "/"
) -> ContainerSpec:
    """Return the spec without any field AS_CONFIGURED.

    `environ` is the caller's environment, `directory` the base of its relative paths. Raises UsageError for options
    that exclude each other, ConfigError for a value of containers.conf that its option refuses, NotSupportedError.
    """
    _check_together(spec)
    has_no_names = (spec.network or conf.netns).startswith(("container:", "none"))
    changes = _settings(spec, conf)
    if has_no_names:  # it has no resolv.conf of its own, so containers.conf's DNS settings are no conflict
        changes.update({name: [] for name in ("dns", "dns_search", "dns_options") if name in changes})
    spec = _log(_limits(_profiles(spec.replace(**changes), conf), conf), conf)
    if any(name in vars(conf) for name in _LISTS):
        from podpy.spec.configured import with_lists

        spec = with_lists(spec, conf, rootless=rootless, directory=directory)
    if conf.default_sysctls:
        from podpy.spec.sysctls import defaults

        spec = spec.replace(sysctls={**defaults(conf.default_sysctls, spec), **spec.sysctls})
    if conf.default_host_ips and spec.ports:
        ports = [[port] if port.host_ip else _on_each(port, conf.default_host_ips) for port in spec.ports]
        spec = spec.replace(ports=[port for each in ports for port in each])
    if spec.env_host:
        from podpy.spec.text.environment import host_environment

        spec = spec.replace(env={**host_environment(environ), **spec.env})
    if spec.network == "host" and not spec.hostname and spec.uts == "private":
        spec = spec.replace(hostname=os.uname().nodename)
    _check_texts(spec)
    return spec


def _check_texts(spec: ContainerSpec) -> None:
    """Refuse texts that the options refuse: a library's texts pass no parser. Common values skip the check."""
    modes = {name: getattr(spec, name) for name in ("pid", "ipc", "uts", "cgroupns")}
    unusual = {name: mode for name, mode in modes.items() if mode not in ("private", "host", "shareable", "none")}
    if unusual or spec.userns != "host" or "shareable" in (spec.pid, spec.uts, spec.cgroupns):
        from podpy.spec.text.namespaces import POD, check_mode, check_userns

        if POD in (*modes.values(), spec.userns):
            raise UsageError("a pod's namespace is asked for, but no pod is given", hint="Give one: --pod NAME")
        for name, mode in modes.items():
            check_mode(name, mode)
        check_userns(spec.userns)
    if spec.umask != "0022" or spec.timezone:
        from podpy.spec.text.process import check_timezone, check_umask

        check_umask(spec.umask)
        check_timezone(spec.timezone)
    if spec.log_driver not in ("k8s-file", "json-file", "journald"):
        from podpy.spec.text.life import log_driver

        log_driver(spec.log_driver)
    if spec.dns or spec.dns_search or spec.add_hosts:
        from podpy.spec.text.network import check_host, check_name_servers, check_searches

        check_name_servers(spec.dns)
        check_searches(spec.dns_search)
        for text in spec.add_hosts:
            check_host(text)
    if spec.resources.cpuset_cpus or spec.resources.cpuset_mems:
        from podpy.spec.text.limits import check_cpuset

        check_cpuset("--cpuset-cpus", spec.resources.cpuset_cpus)
        check_cpuset("--cpuset-mems", spec.resources.cpuset_mems)


def base_environment(conf: ContainersConf, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that lie below the image's: containers.conf's, and a PATH. Raises ConfigError."""
    if "env" not in vars(conf):
        return {"PATH": DEFAULT_PATH}
    from podpy.spec.configured import variables

    return {"PATH": DEFAULT_PATH, **variables(conf.env, environ)}


def named(spec: ContainerSpec, name: str, conf: ContainersConf) -> ContainerSpec:
    """Return the spec with the container's name and, if containers.conf says so, a host name made of it."""
    hostname = spec.hostname
    if not hostname and conf.container_name_as_hostname and spec.uts == "private":
        hostname = name.replace("_", "")
    return spec.replace(name=name, hostname=hostname)


def _on_each(port: PortMapping, addresses: Sequence[str]) -> list[PortMapping]:
    return [port.replace(host_ip=address) for address in addresses]


def _check_together(spec: ContainerSpec) -> None:
    """Raise UsageError, in Podman's words, for options that exclude each other."""
    if spec.hostname and spec.uts == "host":
        raise UsageError(
            "invalid config provided: cannot set hostname when running in the host UTS namespace: invalid configuration"
        )
    if spec.no_hosts and spec.add_hosts:
        raise UsageError("--no-hosts and --add-host cannot be set together")
    if spec.no_hosts and spec.hosts_file:
        raise UsageError("--no-hosts and --hosts-file cannot be set together")


def _settings(spec: ContainerSpec, conf: ContainersConf) -> dict[str, Any]:
    """Return the values of the fields that are AS_CONFIGURED. Raises ConfigError, NotSupportedError."""
    said = vars(conf)
    changes: dict[str, Any] = {}
    for field, key in _SETTINGS.items():
        if getattr(spec, field) is not None:
            continue
        value = said.get(key, "")
        if value != "" and field in _READ:
            from podpy.spec.configured import value_of

            changes[field] = value_of(field, key, value)
        elif value != "":
            changes[field] = value
        else:
            changes[field] = _BUILT_IN[field] if field in _BUILT_IN else getattr(type(conf), key)
    return changes


def _profiles(spec: ContainerSpec, conf: ContainersConf) -> ContainerSpec:
    """Return the spec with its seccomp and AppArmor profiles. A privileged container has none by default."""
    changes: dict[str, Any] = {"seccomp_allow": list(dict.fromkeys([*spec.seccomp_allow, *conf.seccomp_allow]))}
    if spec.seccomp_profile is None:
        changes["seccomp_profile"] = ""
        if conf.seccomp_profile == _UNCONFINED and not spec.privileged:
            changes["seccomp"] = spec.seccomp or _UNCONFINED
        elif conf.seccomp_profile:
            from podpy.spec.configured import seccomp_profile

            changes["seccomp_profile"] = seccomp_profile(conf.seccomp_profile)
    if spec.apparmor is None:
        changes["apparmor"] = ""
        # Podman loads its own profiles, podpy doesn't: a name of one counts as unset.
        if conf.apparmor_profile and not spec.privileged and not conf.apparmor_profile.startswith(_PODMANS_PROFILES):
            from podpy.spec.configured import apparmor_profile

            changes["apparmor"] = apparmor_profile(conf.apparmor_profile)
    return spec.replace(**changes)


def _limits(spec: ContainerSpec, conf: ContainersConf) -> ContainerSpec:
    changes: dict[str, Any] = {}
    # The built-in limit stays None: `oci.document` omits it where the cgroup can't have one.
    if spec.resources.pids_limit is None and conf.pids_limit != _BUILT_IN_PIDS and spec.cgroups != "disabled":
        changes["pids_limit"] = conf.pids_limit
    if spec.resources.cgroup_conf is None:
        changes["cgroup_conf"] = {}
        if conf.cgroup_conf:
            from podpy.spec.configured import pairs

            changes["cgroup_conf"] = pairs("cgroup_conf", conf.cgroup_conf)
    oom_score_adj = spec.oom_score_adj
    if oom_score_adj is None and conf.oom_score_adj:
        from podpy.spec.configured import oom_score_adj as read

        oom_score_adj = read(conf.oom_score_adj)
    return spec.replace(resources=spec.resources.replace(**changes), oom_score_adj=oom_score_adj)


def _log(spec: ContainerSpec, conf: ContainersConf) -> ContainerSpec:
    """Return the spec with the log's tag and size limit; a `max-size` of 0 (none) is omitted. Raises ConfigError."""
    options = dict(spec.log_options)
    if conf.log_tag and spec.log_driver != "json-file":  # as Podman: json-file has no tags
        options.setdefault("tag", conf.log_tag)
    if spec.log_labels and spec.log_driver != "journald":
        raise UsageError("log labels can only be used with journald log driver", hint="Add --log-driver=journald")
    if 0 < conf.log_size_max < _SMALLEST_LOG:
        raise ConfigError(
            f"log_size_max in containers.conf: {conf.log_size_max} is too small",
            hint=f"At least {_SMALLEST_LOG} bytes; -1 is no limit",
        )
    if options.setdefault("max-size", str(max(0, conf.log_size_max))) == "0":
        del options["max-size"]
    return spec.replace(log_options=options)
