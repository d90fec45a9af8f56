"""The configuration of an image that is made of a container: its image's, and what the container was run with.

As Podman's (buildah's) commit, but nothing is lost silently: stop signal, health check and shell of the image stay.
Not in it: what each container gets anew (HOSTNAME, HOME, the variable `container`).
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import UsageError
from podpy.image.documents import changes, schema
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMMAND = "/bin/sh"  # what buildah says all of a commit was made by
_MERGED = ("ExposedPorts", "Labels", "Volumes")
_KNOWN = ("User", "Env", "Entrypoint", "Cmd", "WorkingDir", "StopSignal", "OnBuild", "Healthcheck", "Shell", *_MERGED)


class RunWith(Record):
    """What the container was run with. None, or nothing: what the image says stays."""

    entrypoint: list[str] = []
    command: list[str] = []
    env: dict[str, str] = {}
    user: str = ""
    workdir: str = ""
    labels: dict[str, str] = {}
    ports: list[str] = []  # "80/tcp"
    volumes: list[str] = []
    stop_signal: str = ""


class Commit(Record):
    """What `podpy commit` says about the new image. `config`: JSON of a container's configuration to merge in."""

    author: str = ""
    changes: list[str] = []
    config: bytes = b""
    message: str = ""
    created: str = ""  # RFC 3339
    source: str = ""  # the container's image, as it was called


def parsed_override(config: bytes) -> dict[str, Any]:
    """Return what `--config` says. Raises ImageError, UsageError for what is no configuration."""
    if not config:
        return {}
    document = schema.load_object(config, "--config", schema.CONFIG_LIMIT)
    for key, value in document.items():
        expected: type = dict if key in (*_MERGED, "Healthcheck") else list if key in _LISTS else str
        if key in _KNOWN and value is not None and not isinstance(value, expected):
            raise UsageError(f"--config: {key} is not {_WORDS[expected]}")
    return {key: value for key, value in document.items() if key in _KNOWN and value}


_LISTS = ("Env", "Entrypoint", "Cmd", "OnBuild", "Shell")
_WORDS: dict[type, str] = {dict: "an object", list: "a list", str: "text"}


def committed(parent: bytes, run: RunWith, commit: Commit, diff_ids: list[str], *, squash: bool) -> bytes:
    """Return the new configuration. `parent`: the image's; `diff_ids`: the new image's layers, all of them.

    Raises UsageError for a change that makes no sense, ImageError.
    """
    document = schema.load_object(parent, "the image's configuration", schema.CONFIG_LIMIT)
    host = schema.host_platform()
    config = dict(document.get("config") or {})
    _apply_run(config, run)
    _apply_override(config, parsed_override(commit.config))
    changes.apply(config, commit.changes)
    step: dict[str, Any] = {"created": commit.created, "created_by": _COMMAND}
    if commit.author:
        step["author"] = commit.author
    step["comment"] = f"FROM {commit.source}"
    history = [] if squash else [*(document.get("history") or [])]
    author = commit.author or document.get("author")
    made = {
        "created": commit.created,
        **({"author": author} if author else {}),
        "architecture": document.get("architecture") or host.architecture,
        "os": document.get("os") or host.os,
        **{key: document[key] for key in ("variant", "os.version", "os.features") if document.get(key)},
        **({"comment": commit.message} if commit.message else {}),
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [*history, step],
    }
    return fastjson.dumps(made).encode()


def _apply_run(config: dict[str, Any], run: RunWith) -> None:
    for key, value in (("Entrypoint", run.entrypoint), ("Cmd", run.command)):
        config.pop(key, None)
        if value:
            config[key] = [*value]
    _set_env(config, run.env)
    said = {"User": run.user, "WorkingDir": run.workdir, "StopSignal": run.stop_signal}
    config.update({key: text for key, text in said.items() if text})
    _merge(config, "Labels", run.labels)
    _merge(config, "ExposedPorts", {port: {} for port in run.ports})
    _merge(config, "Volumes", {path: {} for path in run.volumes})


def _apply_override(config: dict[str, Any], override: dict[str, Any]) -> None:
    for key, value in override.items():
        if key in _MERGED:
            _merge(config, key, value)
        elif key == "Env":
            _set_env(config, dict(str(item).partition("=")[::2] for item in value))
        else:
            config[key] = value


def _merge(config: dict[str, Any], key: str, more: dict[str, Any]) -> None:
    merged = {**(config.get(key) or {}), **more}
    if merged:
        config[key] = dict(sorted(merged.items()))


def _set_env(config: dict[str, Any], variables: dict[str, str]) -> None:
    there = dict(item.partition("=")[::2] for item in config.get("Env") or ())
    merged = {**there, **variables}
    if merged:
        config["Env"] = [f"{name}={value}" for name, value in merged.items()]
