"""`environment`, `env_file`, `label_file`: variables and labels."""

from __future__ import annotations

import os

from podpy.compose.project import read_variables
from podpy.errors import PodpyError
from podpy.spec.text.environment import environment as as_podpy_reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.compose.node import Node
    from podpy.compose.service import Service


def environment(service: Service, node: Node) -> None:
    """Take over variables; one without a value has that of the caller's environment, or of `.env`."""
    for name, value in node.pairs().items():
        if value is None:
            value = service.project.notes.variables.get(name)
            if value is None:
                node.tell(f"{name} has no value here: it is left out", fatal=False)
                continue
        service.say("--env", f"{name}={value}")


def env_file(service: Service, node: Node) -> None:
    """Take over files of variables.

    As long as podpy reads the same in them as compose does, the unit reads them; else it has the values of now.
    """
    paths: list[str] = []
    found: dict[str, str] = {}
    read: dict[str, str] = {}
    for item in node.one_or_more():
        path, raw = _file(service, item)
        if not path:
            continue
        try:
            ours: dict[str, str] = {} if raw else read_variables(path, service.project.notes.variables)
            theirs = as_podpy_reads([], [path], {})
            found |= theirs if raw else ours
            read |= theirs
        except PodpyError as error:
            item.tell(error.message)
            continue
        paths.append(path)
    if found == read:
        service.say("--env-file", *paths)
        return
    text = "podpy would read the quotes, comments or variables in it literally: the unit has the values of now"
    node.tell(text, fatal=False)
    own = service.keys["environment"].pairs() if "environment" in service.keys else {}
    service.say("--env", *[f"{name}={value}" for name, value in found.items() if name not in own])


def _file(service: Service, item: Node) -> tuple[str, bool]:
    """Return a file's path, empty if it needn't be there, and whether it is read literally (`format: raw`)."""
    if not item.is_mapping:
        return service.project.absolute(item.text()), False
    keys = item.known("path", "required", "format")
    path = service.project.absolute(keys["path"].text()) if "path" in keys else ""
    if "format" in keys and keys["format"].text() != "raw":
        keys["format"].tell("there is no such format", hint="raw")
    if "required" in keys and not keys["required"].flag() and not os.path.exists(path):
        item.tell(f"{path} isn't there, and is left out", fatal=False)
        return "", False
    return path, "format" in keys


def label_file(service: Service, node: Node) -> None:
    """Take over files of labels."""
    own = service.keys["labels"].pairs() if "labels" in service.keys else {}
    for item in node.one_or_more():
        try:
            labels = read_variables(service.project.absolute(item.text()), service.project.notes.variables)
        except PodpyError as error:
            item.tell(error.message)
            continue
        service.say("--label", *[f"{name}={value}" for name, value in labels.items() if name not in own])
