"""containers.conf: Podman's configuration files, merged, with Podman 5's defaults.

Read in this order, a later file's keys over an earlier one's (containers.conf(5)):

    the main file and its drop-ins       see podpy.config.load_order
    $CONTAINERS_CONF                     instead of all above
    --module FILE
    $CONTAINERS_CONF_OVERRIDE            over all

A list replaces the earlier one unless it has a member {append=true}. Unknown keys are ignored, as Podman does; a value
of the wrong type is a ConfigError that names the file and the key.

Parsing TOML costs 20 ms (the import of the reader and `re` most of it), so what the files mean is kept as JSON in
runroot/cache/containers.conf.json, with path, time and size of each. It is replaced whole (rename); a torn or old one
is ignored.
"""

from __future__ import annotations

import os

from podpy import fastjson, files
from podpy.config.load_order import in_order
from podpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from podpy.config.paths import Paths

    FileKey: TypeAlias = list[list[str | int]]

_NAME = "containers.conf"
_SECTIONS = ("containers", "engine", "network", "secrets")
_ONLY_LATER = ("configmaps", "farms", "machine", "podmansh")


class ContainersConf:
    """The settings, one attribute per key that podpy obeys; those of [secrets] begin with that word.

    Empty texts mean "as the host allows" or "the built-in value". What podpy doesn't obey is in podpy.config.later.
    """

    # [containers]
    annotations: list[str] = []
    apparmor_profile: str = ""
    base_hosts_file: str = ""
    cgroup_conf: list[str] = []
    cgroupns: str = "private"
    cgroups: str = "enabled"
    container_name_as_hostname: bool = False
    default_capabilities: list[str] = [
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_NET_BIND_SERVICE",
        "CAP_SETFCAP",
        "CAP_SETGID",
        "CAP_SETPCAP",
        "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ]
    default_sysctls: list[str] = []
    default_ulimits: list[str] = []
    devices: list[str] = []
    dns_options: list[str] = []
    dns_searches: list[str] = []
    dns_servers: list[str] = []
    env: list[str] = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    env_host: bool = False
    host_containers_internal_ip: str = ""
    http_proxy: bool = True
    init: bool = False
    init_path: str = ""
    interface_name: str = ""
    ipcns: str = "shareable"
    keyring: bool = True
    log_driver: str = "k8s-file"
    log_path: str = ""
    log_size_max: int = 100_000_000  # Podman's is -1, no limit: the log of `yes` would fill the disk in minutes
    log_tag: str = ""
    mounts: list[str] = []
    netns: str = "private"
    no_hosts: bool = False
    oom_score_adj: int = 0
    pidns: str = "private"
    pids_limit: int = 2048
    privileged: bool = False
    read_only: bool = False
    seccomp_allow: list[str] = []  # podpy's own: address families that containers may use although podpy denies them
    seccomp_profile: str = ""
    shm_size: str = "65536k"
    tz: str = ""
    umask: str = "0022"
    userns: str = ""
    utsns: str = "private"
    volumes: list[str] = []

    # [engine]
    active_service: str = ""
    cdi_spec_dirs: list[str] = ["/etc/cdi", "/var/run/cdi"]
    cgroup_manager: str = ""
    chown_copied_files: bool = True
    compose_providers: list[str] = [
        "$HOME/.docker/cli-plugins/docker-compose",
        "/usr/local/lib/docker/cli-plugins/docker-compose",
        "/usr/local/libexec/docker/cli-plugins/docker-compose",
        "/usr/lib/docker/cli-plugins/docker-compose",
        "/usr/libexec/docker/cli-plugins/docker-compose",
        "docker-compose",
        "podman-compose",
    ]
    compose_warning_logs: bool = True
    conmon_env_vars: list[str] = []
    detach_keys: str = "ctrl-p,ctrl-q"
    events_logger: str = "file"
    healthcheck_events: bool = True
    helper_binaries_dir: list[str] = [
        "/usr/local/libexec/podman",
        "/usr/local/lib/podman",
        "/usr/libexec/podman",
        "/usr/lib/podman",
    ]
    hooks_dir: list[str] = []
    image_volume_mode: str = "anonymous"
    infra_command: str = ""
    infra_image: str = ""
    kube_generate_type: str = "pod"
    multi_image_archive: bool = False
    network_cmd_options: list[str] = []
    network_cmd_path: str = ""
    no_pivot_root: bool = False
    pod_exit_policy: str = "continue"
    pull_policy: str = "missing"
    retry: int = 3
    retry_delay: str = ""
    runtime: str = "crun"
    runtimes: dict[str, list[str]] = {}
    service_destinations: dict[str, dict[str, Any]] = {}
    stop_timeout: int = 10

    # [network]
    default_host_ips: list[str] = []
    default_network: str = "podman"
    default_rootless_network_cmd: str = "pasta"
    default_subnet: str = "10.88.0.0/16"
    default_subnet_pools: list[dict[str, Any]] = [
        {"base": "10.89.0.0/16", "size": 24},
        {"base": "10.90.0.0/15", "size": 24},
        {"base": "10.92.0.0/14", "size": 24},
        {"base": "10.96.0.0/11", "size": 24},
        {"base": "10.128.0.0/9", "size": 24},
    ]
    firewall_driver: str = ""  # none, or nftables: whatever else it is
    network_config_dir: str = ""
    pasta_options: list[str] = []

    # [secrets]
    secrets_driver: str = "file"
    secrets_opts: dict[str, str] = {}

    # Which files were read, in order; which keys they set that podpy doesn't obey: "SECTION.KEY: why".
    files: list[str] = []
    later: list[str] = []

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        """Take the values that differ from the defaults."""
        self.__dict__.update(values or {})


def load(paths: Paths | None = None, *, modules: tuple[str, ...] = ()) -> ContainersConf:
    """Return the merged configuration. Without `paths`, only the system's files count and nothing is cached.

    Raises ConfigError for a file that can't be read or understood.
    """
    key = _stat_all(_candidates(paths), _required(modules))
    if not key:
        return ContainersConf()
    cache = f"{paths.cache}/{_NAME}.json" if paths else ""
    values = _read_cache(cache, key)
    if values is None:
        values = _merge([str(row[0]) for row in key])
        if cache:
            _write_cache(cache, key, values)
    return ContainersConf(values)


def _candidates(paths: Paths | None) -> list[str]:
    if os.environ.get("CONTAINERS_CONF"):
        return []
    if paths is None:
        return in_order("containers", None, "")
    own, uid = (paths.config_dirs[0], paths.uid or None) if paths.rootless else ("", paths.uid)
    return in_order("containers", uid, own)


def _required(modules: tuple[str, ...]) -> list[str]:
    """Return the files that must be there: the caller or the environment names them."""
    only, over = os.environ.get("CONTAINERS_CONF"), os.environ.get("CONTAINERS_CONF_OVERRIDE")
    return [*([only] if only else []), *modules, *([over] if over else [])]


def _stat_all(candidates: list[str], required: list[str]) -> FileKey:
    key: FileKey = []
    for path in candidates:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigError(f"can't read {path}: {error.strerror}") from error
        key.append([path, status.st_mtime_ns, status.st_size])
    for path in required:
        try:
            status = os.stat(path)
        except OSError as error:
            raise ConfigError(f"can't read {path}: {error.strerror}", hint="Is the path right?") from error
        key.append([os.path.abspath(path), status.st_mtime_ns, status.st_size])
    return key


def _read_cache(cache: str, key: FileKey) -> dict[str, Any] | None:
    if not cache:
        return None
    try:
        kept = fastjson.loads(files.read(cache))
        if kept["key"] != key:
            return None
        values: dict[str, Any] = kept["values"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return values


def _write_cache(cache: str, key: FileKey, values: dict[str, Any]) -> None:
    try:
        files.replace(cache, fastjson.dumps({"key": key, "values": values}))
    except OSError:  # a full or read-only run directory: the next call parses again
        pass


def _merge(files: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    from podpy.config import toml

    for path in files:
        document = toml.read(path, "containers.conf(5)")
        for section in (*_SECTIONS, *_ONLY_LATER):
            table = document.get(section, {})
            if not isinstance(table, dict):
                raise ConfigError(f"{path}: {section} must be a table: [{section}]")
            for name, value in table.items():
                _set(values, path, section, name, value)
    values["files"] = files
    return values


def _set(values: dict[str, Any], path: str, section: str, name: str, value: Any) -> None:
    attribute = f"{section}_{name}" if section == "secrets" else name
    default = getattr(ContainersConf, attribute, None) if _is_obeyed(section, attribute) else None
    if default is None or callable(default):
        _note_later(values, section, name, value)
        return
    fits = type(value) is type(default)
    if isinstance(default, list) and fits:
        value = _list(values.get(attribute, default), value)
        if name == "default_capabilities":
            value = [_with_prefix(item) for item in value]
    elif isinstance(default, dict) and fits:
        value = {**values.get(attribute, default), **value}
    elif isinstance(default, str) and isinstance(value, int) and not isinstance(value, bool):
        value, fits = str(value), True  # sizes may be written as numbers
    if not fits:
        wanted = {str: "a text", bool: "true or false", int: "a number", list: "a list", dict: "a table"}[type(default)]
        raise ConfigError(f"{path}: {name} in [{section}] must be {wanted}", hint="man containers.conf")
    values[attribute] = value


def _is_obeyed(section: str, name: str) -> bool:
    from podpy.config.later import LATER

    return section in _SECTIONS and f"{section}.{name}" not in LATER and name not in ("files", "later")


def _note_later(values: dict[str, Any], section: str, name: str, value: Any) -> None:
    """Remember a known key without effect. Unknown keys are ignored, as in Podman."""
    from podpy.config.later import LATER

    key = f"{section}.{name}"
    if key in LATER and value not in ([], {}):
        values["later"] = list(dict.fromkeys([*values.get("later", []), f"{key}: {LATER[key]}"]))


def _list(earlier: list[Any], value: list[Any]) -> list[Any]:
    """Return the list that counts: the new one, or the earlier one with the new members appended."""
    attributes = [item for item in value if isinstance(item, dict) and "append" in item]
    members = [item for item in value if item not in attributes]
    return [*earlier, *members] if any(item["append"] for item in attributes) else members


def _with_prefix(name: str) -> str:
    upper = name.upper()
    return upper if upper.startswith("CAP_") or upper == "ALL" else "CAP_" + upper
