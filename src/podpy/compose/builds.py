"""`build` of a service → a .build file (compose specification, build)."""

from __future__ import annotations

import os

from podpy.quadlet.words import quoted
from podpy.quadlet.writing import literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.compose.node import Node
    from podpy.compose.project import Project

_ADDRESSES = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")
_NO_MEANING = {
    "cache_from": "podpy's cache is local",
    "cache_to": "podpy's cache is local",
    "provenance": "podpy writes no such attestations",
    "sbom": "podpy writes no such attestations",
    "isolation": "it is for Windows",
}
_REFUSED = {
    "dockerfile_inline": "podpy needs a file: write it into one",
    "entitlements": "podpy's builds have none",
    "privileged": "podpy's builds have no such rights",
}
_KEYS = ("context", "dockerfile", "args", "labels", "tags", "target", "pull", "no_cache", "network", "shm_size",
         "extra_hosts", "ssh", "secrets", "additional_contexts", "ulimits", "platforms", *_NO_MEANING,
         *_REFUSED)  # fmt: skip


def build_file(image: str, node: Node, project: Project) -> str:
    """Return the text of a .build file for an image's name."""
    keys = node.known(*_KEYS) if node.is_mapping else {"context": node}
    for key, entry in keys.items():
        if key in _REFUSED:
            entry.tell(_REFUSED[key])
        elif key in _NO_MEANING:
            entry.tell(f"is left out: {_NO_MEANING[key]}", fatal=False)
    context = keys["context"].text() if "context" in keys else "."
    is_remote = context.startswith(_ADDRESSES)
    directory = context if is_remote else project.absolute(context)
    tags = [image, *[item.text() for item in (keys["tags"].items() if "tags" in keys else [])]]
    lines = [f"ImageTag={literal(tag)}" for tag in tags]
    lines.append(f"SetWorkingDirectory={literal(directory)}")
    lines += _dockerfile(keys, directory, is_remote=is_remote)
    for key, quadlets in (("target", "Target"), ("network", "Network")):
        if key in keys:
            lines.append(f"{quadlets}={literal(keys[key].text())}")
    for key, quadlets in (("args", "BuildArg"), ("labels", "Label")):
        lines += _pairs(keys[key], quadlets, project) if key in keys else []
    if "pull" in keys and keys["pull"].flag():
        lines.append("Pull=always")
    lines += [f"PodmanArgs={quoted(literal(word))}" for word in _more(keys, project)]
    return "\n".join(["[Build]", *lines, "", "[Service]", "TimeoutStartSec=infinity", ""])


def _dockerfile(keys: dict[str, Node], directory: str, *, is_remote: bool) -> list[str]:
    if "dockerfile" not in keys:
        return []
    path = keys["dockerfile"].text()
    return [f"File={literal(path if is_remote else os.path.normpath(os.path.join(directory, path)))}"]


def _pairs(node: Node, key: str, project: Project) -> list[str]:
    found = []
    for name, value in node.pairs().items():
        if value is None:
            value = project.notes.variables.get(name)
            if value is None:
                node.tell(f"{name} has no value here: it is left out", fatal=False)
                continue
        found.append(f"{key}={quoted(literal(f'{name}={value}'))}")
    return found


def _more(keys: dict[str, Node], project: Project) -> list[str]:
    """Return options of `podpy build` that have no key."""
    found = ["--no-cache"] if "no_cache" in keys and keys["no_cache"].flag() else []
    found += [f"--shm-size={keys['shm_size'].size()}"] if "shm_size" in keys else []
    if "platforms" in keys:
        found.append(f"--platform={','.join(item.text() for item in keys['platforms'].items())}")
    if "extra_hosts" in keys:
        for name, value in keys["extra_hosts"].pairs("=" if keys["extra_hosts"].is_mapping else ":").items():
            found.append(f"--add-host={name}:{value or ''}")
    for name, value in (keys["additional_contexts"].pairs() if "additional_contexts" in keys else {}).items():
        path = value or ""
        found.append(f"--build-context={name}={path if '://' in path else project.absolute(path)}")
    for name, value in (keys["ssh"].pairs() if "ssh" in keys else {}).items():
        found.append(f"--ssh={name}{f'={value}' if value else ''}")
    for name, entry in (keys["ulimits"].entries() if "ulimits" in keys else {}).items():
        found.append(f"--ulimit={name}={':'.join(str(each) for each in _limits(entry))}")
    for item in keys["secrets"].items() if "secrets" in keys else []:
        known = project.secrets.get("" if item.is_mapping else item.text())
        source = known.entries() if known is not None else {}
        if "file" in source:
            found.append(f"--secret=id={item.text()},src={project.absolute(source['file'].text())}")
        else:
            item.tell("a build's secret needs a file here", hint="file:")
    return found


def _limits(node: Node) -> list[str]:
    return [entry.text() for entry in node.entries().values()] if node.is_mapping else [node.text()]
