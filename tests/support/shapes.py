"""What an engine's JSON looks like: one scenario, every command that prints JSON, reduced to keys and types.

`scripts/shapes.py` asks Podman and writes tests/data/podman-VERSION.json; tests/cli/test_shapes.py asks podpy.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import images
from tests.support.registry import Registry

Ask = Callable[..., str]
Shape = dict[str, str]

IMAGE = "localhost/shapes:latest"
_SETTINGS = {
    "Cmd": ["sleep", "1000"],
    "Env": ["PATH=/bin:/usr/bin:/sbin:/usr/sbin"],
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/from-image": {}},
    "Labels": {"kind": "image"},
    "WorkingDir": "/tmp",
    "User": "0",
    "StopSignal": "SIGTERM",
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 3600000000000},
}
# Objects whose keys are data.
_MAPS = frozenset(
    (
        "Annotations", "Attributes", "CgroupConf", "Data", "DriverOpts", "ExposedPorts", "Labels", "LogConfig.Config",
        "Network", "Networks", "Options", "PortBindings", "Tmpfs", "Volumes", "annotations", "attributes", "labels",
        "graphOptions", "graphStatus", "registries",
    )
)  # fmt: skip
_FULL = (
    "--annotation=a=b", "--add-host=there:192.0.2.1", "--blkio-weight=100", "--cap-add=NET_ADMIN", "--cap-drop=CHOWN",
    "--cgroup-conf=memory.high=1073741824", "--cpus=1.5", "--cpu-shares=512", "--cpuset-cpus=0", "--dns=192.0.2.2",
    "--dns-option=ndots:2", "--dns-search=example.org", "--entrypoint=echo", "--env=A=b", "--expose=90",
    "--group-add=1000", "--health-cmd=true", "--health-interval=1h", "--health-start-period=1s",
    "--health-startup-cmd=true", "--health-timeout=2s", "--hostname=here", "--init", "--label=a=b",
    "--log-driver=k8s-file", "--log-opt=max-size=1m", "--log-opt=tag=t", "--memory=64m", "--memory-swap=128m",
    "--memory-reservation=32m", "--mount=type=tmpfs,destination=/t", "--mount=type=bind,source=/tmp,destination=/m,ro",
    "--oom-score-adj=500", "--pids-limit=100", "--publish=127.0.0.1:18080:80", "--publish=18081-18082:81-82/udp",
    "--read-only", "--restart=on-failure:3", "--secret=hidden", "--security-opt=no-new-privileges", "--shm-size=1m",
    "--stop-signal=INT", "--stop-timeout=3", "--sysctl=net.ipv4.ip_forward=1", "--tmpfs=/x:size=1m", "--tty",
    "--timeout=1000", "--tz=UTC", "--ulimit=nofile=100:200", "--umask=0027", "--user=1000:1000", "--userns=keep-id",
    "--volume=data:/data", "--volume=/tmp:/bound:ro", "--volume=/anonymous", "--workdir=/tmp",
)  # fmt: skip
_TAGS = ("search", "--tls-verify=false", "--list-tags")
# kind → command line. The engine's own containers are `full` and `plain` (created), `running`, `ended`.
_COMMANDS: dict[str, list[str]] = {
    "inspect, created with options": ["inspect", "full"],
    "inspect, created": ["inspect", "plain"],
    "inspect, running": ["inspect", "--size", "running"],
    "inspect, ended": ["inspect", "ended"],
    "ps": ["ps", "--all", "--size", "--format", "json"],
    "ps --namespace": ["ps", "--all", "--namespace", "--format", "json"],
    "ps .": ["ps", "--all", "--format", "{{json .}}"],
    "images": ["images", "--format", "json"],
    "images .": ["images", "--format", "{{json .}}"],
    "image inspect": ["image", "inspect", IMAGE],
    "image inspect .": ["image", "inspect", "--format", "{{json .}}", IMAGE],
    "history": ["history", "--format", "json", IMAGE],
    "history .": ["history", "--format", "{{json .}}", IMAGE],
    "volume inspect": ["volume", "inspect", "data", "special"],
    "volume ls": ["volume", "ls", "--format", "json"],
    "volume ls .": ["volume", "ls", "--format", "{{json .}}"],
    "secret inspect": ["secret", "inspect", "hidden"],
    "secret inspect --showsecret": ["secret", "inspect", "--showsecret", "hidden"],
    "secret ls": ["secret", "ls", "--format", "json"],
    "secret ls .": ["secret", "ls", "--format", "{{json .}}"],
    "stats": ["stats", "--no-stream", "--format", "json", "running"],
    "stats .": ["stats", "--no-stream", "--format", "{{json .}}", "running"],
    "events": ["events", "--stream=false", "--format", "json"],
    "events .": ["events", "--stream=false", "--format", "{{json .}}"],
    "system df": ["system", "df", "--format", "json"],
    "system df .": ["system", "df", "--format", "{{json .}}"],
    "info": ["info", "--format", "json"],
    "info .": ["info", "--format", "{{json .}}"],
    "version": ["version", "--format", "json"],
    "version .": ["version", "--format", "{{json .}}"],
    "manifest inspect": ["manifest", "inspect", "localhost/list"],
    "artifact inspect": ["artifact", "inspect", "localhost/thing:1"],
    "artifact ls .": ["artifact", "ls", "--format", "{{json .}}"],
    "search --list-tags": [*_TAGS, "--format", "json", "REGISTRY/shapes"],
    "search --list-tags .": [*_TAGS, "--format", "{{json .}}", "REGISTRY/shapes"],
    "diff": ["diff", "--format", "json", "ended"],
    "image diff": ["image", "diff", "--format", "json", IMAGE],
    "mount": ["unshare", "SELF", "mount", "--format", "json", "running"],
    "image mount": ["unshare", "SELF", "image", "mount", "--format", "json", IMAGE],
    "image trust show": ["image", "trust", "show", "--json"],
}  # fmt: skip
# Every placeholder of the manual pages (podman-ps(1) …), but for those that they say not to use.
_PLACEHOLDERS = {
    "ps --all --size": "AutoRemove CIDFile Command Created CreatedAt CreatedHuman ExitCode Exited ExitedAt ExposedPorts"
    " ID Image ImageID IsInfra Labels Mounts Names Networks Pid Pod PodName Ports Restarts RunningFor Size StartedAt"
    " State Status",
    "images": "Containers Created CreatedAt CreatedSince CreatedTime Dangling Digest History ID Id IsDangling"
    " IsReadOnly Labels Names ParentId ReadOnly RepoDigests Repository RepoTags SharedSize Size Tag VirtualSize",
    "volume ls": "Anonymous CreatedAt Driver GID Labels LockNumber MountCount Mountpoint Name NeedsChown NeedsCopyUp"
    " Options Scope Status StorageID Timeout UID",
    "secret ls": "CreatedAt Driver ID Name UpdatedAt",
    "stats --no-stream running": "AvgCPU AVGCPU BlockInput BlockIO BlockOutput ContainerID CPU CPUNano CPUPerc"
    " CPUSystemNano Duration ID MemLimit MemPerc MemUsage MemUsageBytes Name NetIO Network PerCPU PIDs PIDS SystemNano"
    " Up UpTime",
    "events --stream=false": "Attributes ContainerExitCode Error HealthStatus ID Image Name Network PodID Status Time"
    " TimeNano Type",
    "system df": "Active RawReclaimable RawSize Reclaimable Size Total Type",
    "info": "Host Plugins Registries Store Version",
    "version": "Client Server",
    f"history {IMAGE}": "Comment Created CreatedAt CreatedBy CreatedSince ID Size Tags",
    "search --tls-verify=false --list-tags REGISTRY/shapes": "Automated Description Index Name Official Stars Tag",
}


def _template(names: str) -> str:
    """Return a template that writes placeholders as JSON, and, to see that they can be shown, plainly."""
    fields = ",".join(f'"{name}":{{{{json .{name}}}}}' for name in names.split())
    return "{" + fields + "}" + "".join(f"{{{{with .{name}}}}}{{{{end}}}}" for name in names.split())


QUESTIONS = {
    **_COMMANDS,
    **{
        f"{command.partition(' --')[0]} placeholders": [*command.split(), "--format", _template(names)]
        for command, names in _PLACEHOLDERS.items()
    },
}


def shapes_image() -> images.Image:
    """Return busybox with a configuration that has something of everything."""
    return images.Image(images.busybox_image().layers, _SETTINGS)


def set_up(ask: Ask, directory: Path, registry: Registry) -> None:
    """Make what QUESTIONS ask for, with files in `directory`. `ask` runs the engine and raises if it fails."""
    archive = shapes_image().write_docker_archive(directory / "shapes.tar", IMAGE)
    file = directory / "file"
    file.write_text("words")
    file.chmod(0o644)
    registry.push("shapes", "1", shapes_image())
    ask("load", "--input", str(archive))
    ask("tag", IMAGE, "localhost/other")
    ask("volume", "create", "--label", "a=b", "data")
    ask("volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs", "--opt=o=size=1m,uid=5", "special")
    ask("secret", "create", "--label", "a=b", "hidden", str(file))
    ask("create", "--name=full", *_FULL, IMAGE, "a", "b")
    ask("create", "--name=plain", "--network=none", IMAGE)
    on = ("--network=none", "--volume=data:/data", "--health-cmd=true", "--health-interval=1h")
    ask("run", "--detach", "--name=running", *on, IMAGE)
    ask("healthcheck", "run", "running")
    ask("exec", "running", "true")
    ask("run", "--name=ended", "--network=none", IMAGE, "touch", "/new")
    ask("manifest", "create", "localhost/list", IMAGE)
    ask("artifact", "add", "--annotation=a=b", "localhost/thing:1", str(file))


def answers(ask: Ask, registry: Registry, launcher: str) -> dict[str, Shape]:
    """Return the shape of the answer to each of QUESTIONS."""
    replaced = {"SELF": launcher}
    found = {}
    for kind, question in QUESTIONS.items():
        words = [replaced.get(word, word).replace("REGISTRY", registry.address) for word in question]
        found[kind] = shape(_documents(ask(*words)))
    return found


def nested(shape: Shape) -> dict[str, Any]:
    """Return the same as a tree, which is shorter in a file: `""` has the types of a node that has children."""
    tree: dict[str, Any] = {}
    for path, types in shape.items():
        node = tree
        for step in _steps(path):
            node = node.setdefault(step, {})
        node[""] = types
    return _pruned(tree)


def flat(tree: dict[str, Any], path: str = "") -> Shape:
    """Return path → types of a tree that `nested` made."""
    found = {path: tree.get("", "object")}
    for step, node in tree.items():
        below = path + (step if step == "[]" else "." + step)
        if step:
            found.update(flat(node, below) if isinstance(node, dict) else {below: node})
    return found


def _steps(path: str) -> list[str]:
    return path.replace("[]", ".[]").split(".")[1:]


def _pruned(tree: dict[str, Any]) -> dict[str, Any]:
    def short(node: dict[str, Any]) -> Any:
        return node[""] if set(node) == {""} else _pruned(node)

    return {step: node if step == "" else short(node) for step, node in tree.items() if step != "" or node != "object"}


def _documents(text: str) -> list[Any]:
    """Return the JSON documents of a text; a text that is none is itself."""
    decoder, place = json.JSONDecoder(), 0
    found: list[Any] = []
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        try:
            document, place = decoder.raw_decode(text, place)
        except ValueError:
            return ["(not JSON)"] if not found else [*found, "(not JSON)"]
        found.append(document)
    return found


def shape(documents: list[Any]) -> Shape:
    """Return path → types ("null|string"). An object whose keys are data has the key `*`, a list's elements `[]`."""
    types: dict[str, set[str]] = {}
    for document in documents:
        _walk(document, "", "", types)
    return {path: "|".join(sorted(kinds)) for path, kinds in sorted(types.items())}


def _walk(value: Any, path: str, name: str, types: dict[str, set[str]]) -> None:
    types.setdefault(path, set()).add(_type(value))
    if isinstance(value, list):
        for item in value:
            _walk(item, path + "[]", "", types)
    elif isinstance(value, dict):
        for key, item in value.items():
            shown = "*" if name in _MAPS or (name == "Ports" and path.startswith("[]")) else key
            _walk(item, f"{path}.{shown}", key, types)


def _type(value: Any) -> str:
    if value is None:
        return "null"
    if value == "(not JSON)":
        return "(not JSON)"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else "list" if isinstance(value, list) else "object"
