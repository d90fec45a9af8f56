"""The keys of a service, one by one (compose specification, 05-services). Those of whole families stand in `life`,
`mounts`, `networks` and `environment`.
"""

from __future__ import annotations

from podpy.compose import environment, life, mounts, networks
from podpy.compose.node import nearest
from podpy.compose.words import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.compose.node import Node
    from podpy.compose.service import Service

_ONE = {
    "cgroup": "--cgroupns", "cgroup_parent": "--cgroup-parent", "cpu_period": "--cpu-period", "cpu_quota":
    "--cpu-quota", "cpu_shares": "--cpu-shares", "cpus": "--cpus", "cpuset": "--cpuset-cpus", "hostname": "--hostname",
    "oom_score_adj": "--oom-score-adj", "pids_limit": "--pids-limit", "platform": "--platform",
    "stop_signal": "--stop-signal", "user": "--user", "userns_mode": "--userns", "uts": "--uts",
    "working_dir": "--workdir",
}  # fmt: skip
_SIZES = {
    "mem_limit": "--memory", "mem_reservation": "--memory-reservation", "memswap_limit": "--memory-swap",
    "shm_size": "--shm-size",
}  # fmt: skip
_EACH = {
    "cap_add": "--cap-add", "cap_drop": "--cap-drop", "device_cgroup_rules": "--device-cgroup-rule", "dns": "--dns",
    "dns_opt": "--dns-option", "dns_search": "--dns-search", "expose": "--expose", "group_add": "--group-add",
    "tmpfs": "--tmpfs",
}  # fmt: skip
_FLAGS = {
    "init": "--init", "privileged": "--privileged", "read_only": "--read-only", "stdin_open": "--interactive",
    "tty": "--tty",
}  # fmt: skip
_PAIRS = {"annotations": "--annotation", "labels": "--label", "sysctls": "--sysctl"}

_NO_MEANING = {
    "attach": "says what `docker compose up` prints; podpy logs, or journalctl, shows all of it",
    "develop": "is for docker compose watch",
    "pull_refresh_after": "the image is pulled if it isn't there",
    "mem_swappiness": "Linux can't with cgroup v2, so docker compose can't, either",
    "oom_kill_disable": "Linux can't with cgroup v2, so docker compose can't, either",
    "cpu_rt_period": "Linux can't with cgroup v2, so docker compose can't, either",
    "cpu_rt_runtime": "Linux can't with cgroup v2, so docker compose can't, either",
}
"""Keys that change nothing in what runs, and why."""

_REFUSED = {
    "cpu_count": ("is for Windows", ""),
    "cpu_percent": ("is for Windows", ""),
    "credential_spec": ("is for Windows", ""),
    "isolation": ("is for Windows", ""),
    "domainname": ("podpy has no domain name beside the host name", "hostname: NAME.DOMAIN"),
    "extends": ("services of other files aren't read", "docker compose config writes one file of all"),
    "external_links": ("podpy has no links", "put both containers on one network"),
    "models": ("podpy runs no models", ""),
    "provider": ("podpy runs no other programs in place of a container", ""),
    "runtime": ("podpy's OCI runtime is the same for all containers", "containers.conf, or podpy --runtime"),
    "storage_opt": ("podpy has no options of storage for one container", ""),
    "use_api_socket": ("podpy has no API socket", ""),
    "post_start": ("a unit has no commands of the container after its start", "ExecStartPost= of a drop-in"),
    "pre_stop": ("a unit has no commands of the container before its stop", "ExecStop= of a drop-in"),
}  # fmt: skip
_ELSEWHERE = ("build", "image", "container_name", "profiles", "command", "entrypoint")


def read(service: Service) -> None:
    """Take over all keys of a service."""
    _command(service)
    for key, node in service.keys.items():
        if node.is_null and key not in _SPECIAL:
            continue
        if key in _REFUSED:
            text, hint = _REFUSED[key]
            node.tell(text, hint=hint)
        elif key in _NO_MEANING:
            node.tell(f"is left out: {_NO_MEANING[key]}", fatal=False)
        elif key in _SPECIAL:
            _SPECIAL[key](service, node)
        elif not _plain(service, key, node) and key not in _ELSEWHERE:
            known = [*_ONE, *_SIZES, *_EACH, *_FLAGS, *_PAIRS, *_SPECIAL, *_ELSEWHERE]
            node.tell("there is no such key", hint=nearest(key, known))


def _plain(service: Service, key: str, node: Node) -> bool:
    """Take over a key that is one option; return whether it is one."""
    if key in _ONE:
        service.say(_ONE[key], node.text())
    elif key in _SIZES:
        service.say(_SIZES[key], node.size())
    elif key in _EACH:
        service.say(_EACH[key], *[item.text() for item in node.one_or_more()])
    elif key in _FLAGS:
        service.switch(_FLAGS[key], node.flag())
    elif key in _PAIRS:
        service.say(_PAIRS[key], *[f"{name}={value or ''}" for name, value in node.pairs().items()])
    else:
        return False
    return True


def words(node: Node) -> list[str]:
    """Return the words of a command: a list, or a text that is split as compose does."""
    if node.is_list:
        return [item.text() for item in node.items()]
    try:
        found, rest = split(node.text())
    except ValueError as error:
        node.tell(str(error))
        return []
    if rest:
        text = f"docker compose, which runs no shell, leaves out what begins with {rest[0]}: so does the unit"
        node.tell(text, hint='[sh, -c, "…"]', fatal=False)
    return found


def _command(service: Service) -> None:
    entrypoint, command = service.keys.get("entrypoint"), service.keys.get("command")
    has_own = entrypoint is not None and not entrypoint.is_null
    if entrypoint is not None and has_own:
        from podpy.fastjson import dumps

        found = words(entrypoint)
        service.say("--entrypoint", dumps(found) if found else "")
    if command is not None and not command.is_null:
        service.command = words(command)
        if not service.command and not has_own:
            command.tell("an empty command: podpy can't take the image's away", hint="give the entrypoint, too")


def _blkio(service: Service, node: Node) -> None:
    for key, entry in node.known(
        "weight", "weight_device", "device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops"
    ).items():
        if key == "weight":
            service.say("--blkio-weight", entry.text())
            continue
        value = "weight" if key == "weight_device" else "rate"
        option = "--blkio-weight-device" if key == "weight_device" else f"--{key.replace('_', '-')}"
        for item in entry.items():
            found = item.known("path", value)
            if "path" in found and value in found:
                text = found[value].size() if key.endswith("bps") else found[value].text()
                service.say(option, f"{found['path'].text()}:{text}")


def _devices(service: Service, node: Node) -> None:
    for item in node.items():
        if not item.is_mapping:
            service.say("--device", item.text())
            continue
        found = {key: value.text() for key, value in item.known("source", "target", "permissions").items()}
        parts = [found.get("source", ""), found.get("target") or found.get("source", ""), found.get("permissions", "")]
        service.say("--device", ":".join(filter(None, parts)))


def _extra_hosts(service: Service, node: Node) -> None:
    if not node.is_list:
        for name, entry in node.entries().items():
            service.say("--add-host", *[f"{name}:{item.text()}" for item in entry.one_or_more()])
        return
    for item in node.items():
        name, sign, address = item.text().partition("=")
        if not sign:
            name, sign, address = item.text().partition(":")
        service.say("--add-host", f"{name}:{address}")


def _namespace(service: Service, node: Node) -> None:
    """Take over `pid` and `ipc`: a mode, or that of another service."""
    option = f"--{node.path.rpartition('.')[2]}"
    value = node.text()
    kind, _, name = value.partition(":")
    service.say(option, f"container:{service.other(node, name)}" if kind == "service" else value)


def _logging(service: Service, node: Node) -> None:
    found = node.known("driver", "options")
    driver = found["driver"].text() if "driver" in found else ""
    drivers = {name: name for name in ("", "json-file", "k8s-file", "journald", "none", "passthrough")}
    drivers["local"] = "k8s-file"
    if driver not in drivers:
        hint = "The unit's journal has the output: journalctl --user -u UNIT"
        found["driver"].tell(f"podpy has no log driver {driver}", hint=hint)
        return
    if drivers[driver]:
        service.say("--log-driver", drivers[driver])
    for name, value in (found["options"].pairs() if "options" in found else {}).items():
        if name in ("max-size", "max-file", "tag"):
            service.say("--log-opt", f"{name}={value}")
        else:
            found["options"].tell(f"podpy's logs have no option {name}", fatal=False)


def _mac(service: Service, node: Node) -> None:
    """It stands in the network's options, which `networks` writes."""
    if "network_mode" in service.keys:
        service.say("--mac-address", node.text())


def _pull(service: Service, node: Node) -> None:
    policy = node.text()
    known = {"always": "always", "never": "never", "missing": "missing", "if_not_present": "missing", "build": ""}
    if policy in known:
        service.say("--pull", *filter(None, [known[policy]]))
    elif policy in ("daily", "weekly") or policy.startswith("every_"):
        node.tell("podpy pulls at each start, if there is a newer one, or not at all: newer", fatal=False)
        service.say("--pull", "newer")
    else:
        node.tell(f"{policy}: there is no such policy", hint=nearest(policy, known))


def _security(service: Service, node: Node) -> None:
    for item in node.items():
        text = item.text()
        name, sign, value = text.partition("=" if "=" in text else ":")
        if name == "no-new-privileges":
            if value in ("", "true"):
                service.say("--security-opt", "no-new-privileges")
        elif name == "seccomp" and value != "unconfined":
            service.say("--security-opt", f"seccomp={service.project.absolute(value)}")
        else:
            service.say("--security-opt", f"{name}={value}" if sign else name)


def _ulimits(service: Service, node: Node) -> None:
    for name, entry in node.entries().items():
        if entry.is_mapping:
            found = entry.known("soft", "hard")
            values = [found[key].text() for key in ("soft", "hard") if key in found]
            service.say("--ulimit", f"{name}={':'.join(values)}")
        else:
            service.say("--ulimit", f"{name}={entry.text()}")


_SPECIAL: dict[str, Callable[[Service, Node], None]] = {
    "blkio_config": _blkio,
    "configs": mounts.configs,
    "depends_on": life.depends_on,
    "deploy": life.deploy,
    "devices": _devices,
    "environment": environment.environment,
    "env_file": environment.env_file,
    "extra_hosts": _extra_hosts,
    "gpus": life.gpus,
    "healthcheck": life.healthcheck,
    "ipc": _namespace,
    "label_file": environment.label_file,
    "links": networks.links,
    "logging": _logging,
    "mac_address": _mac,
    "network_mode": networks.mode,
    "networks": networks.attach,
    "pid": _namespace,
    "ports": networks.ports,
    "pull_policy": _pull,
    "restart": life.restart,
    "scale": life.scale,
    "secrets": mounts.secrets,
    "security_opt": _security,
    "stop_grace_period": life.stop_grace_period,
    "ulimits": _ulimits,
    "volumes": mounts.volumes,
    "volumes_from": mounts.volumes_from,
}
