"""The body of `POST /containers/create` → a ContainerSpec."""

from __future__ import annotations

from podpy.api.compat import host_config, networking
from podpy.api.errors import HttpError
from podpy.errors import PodpyError
from podpy.spec.container import AS_CONFIGURED, ContainerSpec, Mount
from podpy.spec.health import Health
from podpy.spec.text.expose import parse_expose
from podpy.spec.text.process import check_workdir
from podpy.spec.text.values import parse_signal
from podpy.spec.text.volumes import target_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.runtime import Runtime
    from podpy.spec.container import PortMapping

_LEAST_INTERVAL = 1_000_000  # nanoseconds


def spec_of(runtime: Runtime, body: dict[str, Any], name: str) -> ContainerSpec:
    """Return what a client asks for. Raises HttpError in dockerd's words, UsageError, NotSupportedError."""
    if not body:
        raise HttpError(400, "config cannot be empty in order to create a container")
    if not body.get("Image"):
        raise HttpError(400, "no image specified")
    if body.get("Domainname"):
        raise HttpError(501, "Domainname isn't supported: put it into Hostname")
    config: dict[str, Any] = body.get("HostConfig") or {}
    rootless = runtime.paths.rootless
    of_host = host_config.fields(config, rootless=rootless)
    expose = [port for text in body.get("ExposedPorts") or {} for port in parse_expose(text)]
    of_host["ports"] = _exposed(runtime, body["Image"], of_host["ports"], expose)
    known = {mount.target for mount in of_host["mounts"]}
    anonymous = [target_path(path) for path in body.get("Volumes") or {}]
    of_host["mounts"] += [Mount(type="volume", target=path) for path in anonymous if path not in known]
    return ContainerSpec(
        **_process(body),
        **of_host,
        **networking.fields(runtime, body, config),
        name=name.removeprefix("/"),
        image=body["Image"],
        hostname=body.get("Hostname") or "",
        labels=body.get("Labels") or {},
        expose=expose,
        stop_signal=parse_signal(body["StopSignal"]) if body.get("StopSignal") else 0,
        stop_timeout=AS_CONFIGURED if body.get("StopTimeout") is None else int(body["StopTimeout"]),
        health=_health(body.get("Healthcheck")),
    )


def _exposed(runtime: Runtime, image: str, ports: list[PortMapping], expose: list[str]) -> list[PortMapping]:
    """Return the ports that the body (`expose`) or the image exposes: dockerd takes no notice of other bindings."""
    if all(_text(port) in expose for port in ports):
        return ports
    try:
        of_image = runtime.images.inspect(image)["Config"].get("ExposedPorts") or {}
    except PodpyError:
        of_image = {}  # the create says why
    known = {*expose, *(port for text in of_image for port in parse_expose(text))}
    return [port for port in ports if _text(port) in known]


def _text(port: PortMapping) -> str:
    return f"{port.container_port}/{port.protocol}"


def _process(body: dict[str, Any]) -> dict[str, Any]:
    entrypoint = _words(body.get("Entrypoint"))
    if entrypoint == [""]:
        entrypoint = []
    env: list[str] = body.get("Env") or []
    return {
        "command": _words(body.get("Cmd")) or [],
        "entrypoint": entrypoint,
        "env": dict(text.split("=", 1) for text in env if "=" in text),
        "unset_env": [text for text in env if "=" not in text],
        "workdir": check_workdir(body.get("WorkingDir") or ""),
        "user": body.get("User") or "",
        "tty": bool(body.get("Tty")),
        "stdin_open": bool(body.get("OpenStdin")),
    }


def _words(given: str | list[str] | None) -> list[str] | None:
    """Return a command: a list, or one word where a text was given; None if nothing was."""
    if given is None or isinstance(given, list):
        return given
    return [given]


def _health(given: dict[str, Any] | None) -> Health | None:
    if not given:
        return None
    names = {
        "interval": "Interval",
        "timeout": "Timeout",
        "retries": "Retries",
        "start_period": "StartPeriod",
        "start_interval": "StartInterval",
    }
    for field, word in names.items():
        value = given.get(word) or 0
        if field != "retries" and 0 < value < _LEAST_INTERVAL:
            raise HttpError(400, f"{word} in Healthcheck cannot be less than 1ms")
        if value < 0:
            raise HttpError(400, f"{word} in Healthcheck cannot be negative")
    fields = {field: given[word] for field, word in names.items() if given.get(word)}
    return Health(test=given.get("Test") or [], **fields)
