"""When a service runs and with how much: `depends_on`, `restart`, `healthcheck`, `deploy`, GPUs (05, deploy)."""

from __future__ import annotations

from podpy.compose.node import nearest
from podpy.compose.service import tell_missing
from podpy.go.values import nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.compose.node import Node
    from podpy.compose.project import Project
    from podpy.compose.service import Service

STARTED, HEALTHY, COMPLETED = "service_started", "service_healthy", "service_completed_successfully"
_CONDITIONS = (STARTED, HEALTHY, COMPLETED)
_RESTARTS = ("no", "always", "unless-stopped", "on-failure")
_POLICIES = {"none": "no", "on-failure": "on-failure", "any": "always"}
_GRACE = 10  # seconds: docker's default, and podpy's
_SYSTEMDS_PATIENCE = 90  # seconds: TimeoutStopSec=
_SECOND = 10**9
_OF_SWARM = ("mode", "endpoint_mode", "labels", "rollback_config", "update_config", "placement")


def depends_on(service: Service, node: Node) -> None:
    """Start other services first. What their conditions ask of those services' own units: `conditions`."""
    for name, entry in dependencies(node).items():
        is_needed = True
        if entry.is_mapping:
            keys = entry.known("condition", "required", "restart")
            is_needed = keys["required"].flag() if "required" in keys else True
            condition = keys["condition"].text() if "condition" in keys else STARTED
            if condition not in _CONDITIONS:
                keys["condition"].tell(f"there is no condition {condition}", hint=nearest(condition, _CONDITIONS))
        if name in service.project.services:
            service.after[service.project.unit(name)] = is_needed
        elif is_needed:
            tell_missing(entry, name, service.project)


def dependencies(node: Node) -> dict[str, Node]:
    """Return the services that `depends_on` names."""
    return {item.text(): item for item in node.items()} if node.is_list else node.entries()


def conditions(project: Project) -> dict[str, set[str]]:
    """Return the conditions under which others depend on a service."""
    found: dict[str, set[str]] = {}
    for node in project.services.values():
        keys = node.entries() if node.is_mapping else {}
        for name, entry in (dependencies(keys["depends_on"]) if "depends_on" in keys else {}).items():
            given = entry.entries().get("condition") if entry.is_mapping else None
            found.setdefault(name, set()).add(given.text() if given else STARTED)
    return found


def restart(service: Service, node: Node) -> None:
    """Take over the restart policy: systemd's."""
    policy, _, most = node.text().partition(":")
    if policy not in _RESTARTS:
        node.tell(f"there is no restart policy {policy}", hint=nearest(policy, _RESTARTS))
    elif policy != "no":
        if most and not most.isdecimal():
            node.tell(f"{most} is no number of times")
        _restart(service, "on-failure" if policy == "on-failure" else "always", most if most.isdecimal() else "")


def _restart(service: Service, policy: str, most: str = "", delay: str = "1", window: str = "1d") -> None:
    """`most`: how often within `window`; systemd's own limit, five times in ten seconds, is none of compose's."""
    service.lines += [f"Restart={policy}", f"RestartSec={delay}"]
    if most:
        service.unit += [f"StartLimitIntervalSec={window}", f"StartLimitBurst={int(most) + 1}"]
    else:
        service.unit.append("StartLimitIntervalSec=0")


def healthcheck(service: Service, node: Node) -> None:
    """Take over the health check."""
    keys = node.known("disable", "test", "interval", "timeout", "retries", "start_period", "start_interval")
    if "disable" in keys and keys["disable"].flag():
        service.switch("--no-healthcheck", True)
        return
    if "test" in keys and not keys["test"].is_null:
        test = _test(keys["test"])
        if test == "none":
            service.switch("--no-healthcheck", True)
            return
        service.say("--health-cmd", test)
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if key in keys and _duration(keys[key]):
            service.say(f"--health-{key.replace('_', '-')}", keys[key].text())
    if "retries" in keys:
        service.say("--health-retries", str(keys["retries"].whole()))


def _test(node: Node) -> str:
    from podpy.fastjson import dumps

    if not node.is_list:
        return _shell(node.text())
    words = [item.text() for item in node.items()]
    kind = words[0] if words else ""
    if kind == "NONE":
        return "none"
    if kind == "CMD-SHELL" and len(words) == 2:
        return _shell(words[1])
    if kind != "CMD":
        node.tell("must begin with NONE, CMD or CMD-SHELL")
    return dumps(words)


def _shell(text: str) -> str:
    """Return a command of the container's shell as --health-cmd takes it."""
    from podpy.fastjson import dumps

    is_odd = text.startswith(("[", '"')) or text.split(" ", 1)[0].upper() in ("NONE", "CMD", "CMD-SHELL")
    return dumps(["CMD-SHELL", text]) if is_odd or not text.isprintable() else text


def _duration(node: Node) -> int:
    """Return nanoseconds."""
    try:
        return nanoseconds(node.text())
    except ValueError:
        node.tell(f'"{node.text()}" is no duration', hint="30s, 1m30s …")
        return 0


def has_check(service: Service) -> bool:
    """Return whether the file gives the service a health check."""
    return any(said.name == "--health-cmd" for said in service.said)


def stop_grace_period(service: Service, node: Node) -> None:
    """Take over the time that it may take to end."""
    seconds = -(-_duration(node) // _SECOND)
    service.say("--stop-timeout", str(seconds))
    if seconds > _SYSTEMDS_PATIENCE - _GRACE:
        service.lines.append(f"TimeoutStopSec={seconds + _GRACE}")


def scale(service: Service, node: Node) -> None:
    """A unit runs one container."""
    number = node.whole()
    if number != 1:
        node.tell(f"a unit runs one container, not {number}", hint="a template, NAME@.container, runs several")


def deploy(service: Service, node: Node) -> None:
    """Take over what compose itself reads of it."""
    for key, entry in node.known("replicas", "resources", "restart_policy", *_OF_SWARM).items():
        if key in _OF_SWARM:
            if key != "mode" or entry.text() != "replicated":
                entry.tell("is left out: it is for swarms", fatal=False)
        elif key == "replicas":
            scale(service, entry)
        elif key == "resources":
            _resources(service, entry)
        elif "restart" not in service.keys:
            _policy(service, entry)


def _policy(service: Service, node: Node) -> None:
    keys = {key: entry.text() for key, entry in node.known("condition", "delay", "max_attempts", "window").items()}
    condition = keys.get("condition", "any")
    if condition not in _POLICIES:
        node.tell(f"there is no condition {condition}", hint=nearest(condition, _POLICIES))
    elif condition != "none":
        most = keys.get("max_attempts", "")
        _restart(
            service,
            _POLICIES[condition],
            most if most.isdecimal() else "",
            keys.get("delay", "1"),
            keys.get("window", "1d"),
        )


def _resources(service: Service, node: Node) -> None:
    keys = node.known("limits", "reservations")
    options = {"cpus": "--cpus", "pids": "--pids-limit"}
    for key, entry in (keys["limits"].known("cpus", "memory", "pids") if "limits" in keys else {}).items():
        service.say(options.get(key, "--memory"), entry.size() if key == "memory" else entry.text())
    reserved = keys.get("reservations")
    for key, entry in (reserved.known("cpus", "memory", "devices", "generic_resources") if reserved else {}).items():
        if key == "memory":
            service.say("--memory-reservation", entry.size())
        elif key == "devices":
            gpus(service, entry)
        else:
            entry.tell("is left out: docker compose reserves none, either", fatal=False)


def gpus(service: Service, node: Node) -> None:
    """Take over GPUs, which CDI describes: `all`, or a list of requests."""
    if not node.is_list:
        service.say("--gpus", node.text())
        return
    for item in node.items():
        keys = item.known("capabilities", "driver", "count", "device_ids", "options")
        driver = keys["driver"].text() if "driver" in keys else "nvidia"
        if driver not in ("nvidia", "cdi"):
            keys["driver"].tell(f"podpy doesn't know {driver}", hint="devices: VENDOR/CLASS=NAME, as CDI names them")
        elif "device_ids" in keys:
            names = [entry.text() for entry in keys["device_ids"].items()]
            service.say("--device", *[name if driver == "cdi" else f"nvidia.com/gpu={name}" for name in names])
        elif "count" in keys and keys["count"].text() not in ("all", "-1"):
            service.say("--device", *[f"nvidia.com/gpu={number}" for number in range(keys["count"].whole())])
        else:
            service.say("--gpus", "all")
        if "options" in keys and not keys["options"].is_null:
            keys["options"].tell("is left out: CDI has no options", fatal=False)
