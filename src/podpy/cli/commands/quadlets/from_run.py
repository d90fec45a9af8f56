"""`podpy quadlet from-run`: the command line of a container → a .container file."""

from __future__ import annotations

import os
import sys

from podpy.cli.parser import table_format as form
from podpy.cli.parser.parse import parse
from podpy.cli.parser.tables import load
from podpy.errors import UsageError
from podpy.quadlet.writing import Said, container_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

NEW = "new:"
"""What begins the name of a pod that `run --pod` makes."""

OF_NEW_PODS = (
    "--network", "--publish", "--publish-all", "--dns", "--dns-search", "--dns-option", "--add-host", "--no-hosts",
    "--hosts-file", "--no-hostname", "--ip", "--ip6", "--mac-address", "--network-alias",
)  # fmt: skip
"""Options of `run --pod new:NAME` that are the pod's."""

_OF_PODS = ("--pod", "--pod-id-file")
_PROGRAMS = ("podpy", "podman", "docker")


def run(options: Options) -> int:
    """Print the file."""
    words = options.command
    if words and os.path.basename(words[0]) in _PROGRAMS:
        words = words[1:]
    sys.stdout.write(text_of(words, os.getcwd()))
    return 0


def text_of(words: list[str], directory: str, *, pod: str = "") -> str:
    """Return the file for a command line `run …` or `create …`; `pod`: the file of the pod that it belongs to.

    Raises UsageError.
    """
    options, found = said_of(words)
    if options.path not in ("run", "create"):
        raise UsageError(
            f"{options.path}: only run and create make a container", hint="podpy quadlet from-run -- run …"
        )
    if pod:
        found = [option for option in found if option.name not in _OF_PODS]
        if options.pod.startswith(NEW):
            found = [option for option in found if option.name not in OF_NEW_PODS]
    root = options.image if options.given("rootfs") else ""
    image = "" if root else options.image
    return container_file(found, image, options.command, directory=directory, root=root, pod=pod)


def said_of(words: list[str]) -> tuple[Options, list[Said]]:
    """Return what a command line says, and its options as they were given. Raises UsageError."""
    options, row = parse(words, load())
    found = []
    for option in row[form.OPTIONS]:
        attribute = option[form.ATTRIBUTE]
        if options.given(attribute):
            is_bool = option[form.KIND] in (form.BOOL, form.SWITCH)
            texts = _texts(getattr(options, attribute), option[form.KIND])
            found.append(Said(option[form.NAMES][0], texts, is_bool=is_bool))
    return options, found


def _texts(value: object, kind: str) -> list[str]:
    """Return an option's values as they are typed."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if not isinstance(value, list):
        return [str(value)]
    if kind == form.LIST:
        return [f'"{item.replace(chr(34), chr(34) * 2)}"' if "," in item or '"' in item else item for item in value]
    return [",".join(map(str, value))] if kind == form.UINTS else [str(item) for item in value]
