"""Image, command and keywords → ContainerSpec. Texts are read by the readers of the command line's options."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from podpy.errors import UsageError
from podpy.library.options import OTHER_NAMES, Options
from podpy.library.places import mounts, ports
from podpy.spec.container import AS_CONFIGURED, ContainerSpec, Resources, SecretUse, Ulimit
from podpy.spec.health import Health
from podpy.spec.text import limits, process
from podpy.spec.text.attachments import parse_networks
from podpy.spec.text.environment import environment, labels
from podpy.spec.text.expose import parse_expose
from podpy.spec.text.life import log_driver, log_options, restart_policy
from podpy.spec.text.namespaces import check_mode, check_userns
from podpy.spec.text.network import check_host, check_name_servers, check_searches
from podpy.spec.text.secrets import parse_secret
from podpy.spec.text.security import check_capabilities, is_cdi_name, parse_device, parse_sysctls, security_options
from podpy.spec.text.values import parse_signal, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.libpod.caller import Caller
    from podpy.library.options import Pairs

    Command = str | Sequence[str] | None


def to_spec(image: str, command: Command, options: Options, caller: Caller, *, rootless: bool) -> ContainerSpec:
    """Return what the keywords ask for. A `command` that is a text is split as a shell would.

    `caller`: whose variables a bare NAME in `environment` takes, and at whose directory relative paths begin. Raises
    TypeError (unknown keyword), UsageError (a value), NotSupportedError.
    """
    check_names(options)
    fields = {
        **_process(options, caller),
        **_files(options, caller, rootless),
        **_network(options),
        **_rights(options),
        **_life(options),
        "resources": _resources(options),
    }
    return ContainerSpec(image=image, command=words(command), **fields)


def words(command: Command) -> list[str]:
    """Return a command's words; a text is split as a shell would. Raises UsageError for a quote without its end."""
    if not isinstance(command, str):
        return [*(command or ())]
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the command {command!r}: {str(error).lower()}", hint="Give a list of words") from None


def check_names(options: Options) -> None:
    """Raise TypeError for a keyword that there isn't, with the one that was meant."""
    known = Options.__annotations__
    for name in options:
        if name in known:
            continue
        from podpy.suggest import near

        meant = OTHER_NAMES.get(name) or next(iter(near(name, known)), "")
        raise TypeError(f"unexpected keyword argument '{name}'" + (f": here it is {meant}" if meant else ""))


def _pairs(given: Pairs) -> list[str]:
    return [f"{name}={value}" for name, value in given.items()] if isinstance(given, Mapping) else [*given]


def _process(options: Options, caller: Caller) -> dict[str, Any]:
    entrypoint = options.get("entrypoint")
    if isinstance(entrypoint, str):
        entrypoint = process.parse_entrypoint(entrypoint)
    return {
        "entrypoint": entrypoint if entrypoint is None else [*entrypoint],
        "env": environment(_pairs(options.get("environment", ())), (), caller.environ),
        "labels": labels(_pairs(options.get("labels", ())), ()),
        "annotations": {**options.get("annotations", {})},
        "name": options.get("name", ""),
        "user": str(options.get("user", "")),
        "groups": [str(group) for group in options.get("group_add", ())],
        "workdir": process.check_workdir(options.get("working_dir", "")),
        "hostname": options.get("hostname", ""),
        "tty": options.get("tty", False),
        "stdin_open": options.get("stdin_open", False),
        "init": options.get("init", AS_CONFIGURED),
        "pod": options.get("pod", ""),
        "requires": [*options.get("requires", ())],
    }


def _files(options: Options, caller: Caller, rootless: bool) -> dict[str, Any]:
    volumes, more, tmpfs = options.get("volumes", ()), options.get("mounts", ()), options.get("tmpfs", ())
    secrets = options.get("secrets", ())
    return {
        "mounts": mounts(volumes, more, tmpfs, caller.directory, rootless),
        "volumes_from": [*options.get("volumes_from", ())],
        "read_only": options.get("read_only", AS_CONFIGURED),
        "shm_size": parse_size("--shm-size", str(options["shm_size"])) if "shm_size" in options else AS_CONFIGURED,
        "secrets": [one if isinstance(one, SecretUse) else parse_secret(one) for one in secrets],
    }


def _network(options: Options) -> dict[str, Any]:
    asked = options.get("network", ())
    mode, networks = parse_networks([asked] if isinstance(asked, str) else asked) if asked else (AS_CONFIGURED, [])
    hosts = options.get("extra_hosts", ())
    lines = [f"{name}:{at}" for name, at in hosts.items()] if isinstance(hosts, Mapping) else hosts
    return {
        "network": mode,
        "networks": networks,
        "ports": ports(options.get("ports", ())),
        "publish_all": options.get("publish_all_ports", False),
        "expose": [port for text in options.get("expose", ()) for port in parse_expose(str(text))],
        "dns": check_name_servers(options["dns"]) if options.get("dns") else AS_CONFIGURED,
        "dns_search": check_searches(options.get("dns_search", ())) or AS_CONFIGURED,
        "dns_options": [*options.get("dns_opt", ())] or AS_CONFIGURED,
        "add_hosts": [check_host(text) for text in lines],
    }


def _rights(options: Options) -> dict[str, Any]:
    add, drop, devices = options.get("cap_add", ()), options.get("cap_drop", ()), options.get("devices", ())
    check_capabilities(add, drop)
    userns = options.get("userns_mode", "")
    modes = {"pid": options.get("pid_mode"), "ipc": options.get("ipc_mode"), "uts": options.get("uts_mode")}
    return {
        **{name: check_mode(name, mode) if mode else AS_CONFIGURED for name, mode in modes.items()},
        "userns": check_userns(userns) if userns else AS_CONFIGURED,
        "privileged": options.get("privileged", AS_CONFIGURED),
        "cap_add": [*add],
        "cap_drop": [*drop],
        "devices": [parse_device(text) for text in devices if not is_cdi_name(text)],
        "cdi_devices": [text for text in devices if is_cdi_name(text)],
        "sysctls": parse_sysctls([f"{name}={value}" for name, value in options.get("sysctls", {}).items()]),
        "cgroup_parent": options.get("cgroup_parent", ""),
        **security_options(options.get("security_opt", ())),
    }


def _resources(options: Options) -> Resources:
    def size(name: str) -> str:
        return str(options.get(name, "") or "")

    memory = limits.memory("--memory", size("mem_limit"))
    limits.check_cpus(options.get("cpus", 0), 0, 0)
    return Resources(
        memory=memory,
        memory_swap=limits.memory_swap(size("memswap_limit"), memory),
        memory_reservation=limits.memory("--memory-reservation", size("mem_reservation")),
        cpu_shares=options.get("cpu_shares") or None,
        cpus=options.get("cpus") or None,
        cpuset_cpus=limits.check_cpuset("--cpuset-cpus", options.get("cpuset_cpus", "")),
        pids_limit=options.get("pids_limit"),
        cgroup_conf=AS_CONFIGURED,
    )


def _life(options: Options) -> dict[str, Any]:
    policy, retries = restart_policy(_restart(options.get("restart_policy", "")))
    if options.get("remove") and policy not in ("", "no"):
        raise UsageError('the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"')
    ulimits = options.get("ulimits", ())
    adjustment = options.get("oom_score_adj")
    return {
        "remove": options.get("remove", False),
        "restart_policy": policy,
        "restart_retries": retries,
        "health": _health(options.get("healthcheck")),
        "stop_signal": parse_signal(str(options["stop_signal"])) if options.get("stop_signal") else 0,
        "stop_timeout": options.get("stop_timeout", AS_CONFIGURED),
        "timeout": options.get("timeout", 0),
        "log_driver": log_driver(options["log_driver"]) if options.get("log_driver") else AS_CONFIGURED,
        "log_options": log_options(_pairs(options.get("log_options", ()))),
        "ulimits": [one if isinstance(one, Ulimit) else limits.parse_ulimit(one) for one in ulimits],
        "oom_score_adj": None if adjustment is None else limits.oom_score_adj(adjustment),
    }


def _restart(policy: str | Mapping[str, str | int]) -> str:
    if isinstance(policy, str):
        return policy
    most = policy.get("MaximumRetryCount")
    return f"{policy.get('Name', '')}:{most}" if most else str(policy.get("Name", ""))


def _health(check: Health | Mapping[str, Any] | None) -> Health | None:
    if check is None or isinstance(check, Health):
        return check
    known = ("test", "interval", "timeout", "retries", "start_period")
    unknown = [name for name in check if name not in known]
    if unknown:
        raise UsageError(f"healthcheck: unknown key {unknown[0]!r}", hint=f"Known are {', '.join(known)}")
    test = check.get("test", [])
    return Health(**{**check, "test": ["CMD-SHELL", test] if isinstance(test, str) else [*test]})
