"""A compose file, its variables, and which of its services count (compose specification: 04, 12, 15)."""

from __future__ import annotations

import os

from podpy.compose.dotenv import parse
from podpy.compose.node import Node, Notes
from podpy.errors import NotFoundError, UsageError
from podpy.record import Record
from podpy.yaml.load import MOST_BYTES, load
from podpy.yaml.places import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    import collections.abc

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""Names of a compose file, in the order in which they are looked for."""

_OVERRIDES = ("compose.override.yaml", "compose.override.yml", "docker-compose.override.yaml",
              "docker-compose.override.yml")  # fmt: skip
_TOP = ("version", "name", "services", "networks", "volumes", "configs", "secrets", "include", "models")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_NAME_LETTERS = _LETTERS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ.")
_ALL_PROFILES = "*"
DEFAULT = "default"
"""The network that services without any are on."""


class Request(Record):
    """What to convert: the file (empty: that of COMPOSE_FILE, or the one in `directory`), the caller's variables and
    directory, and `--project-name`, `--profile`, `--env-file`.
    """

    path: str
    directory: str
    environ: dict[str, str]
    name: str = ""
    profiles: list[str] = []
    env_files: list[str] = []


class Project:
    """A compose file. `services`: those that count; the others, by their names, are in `left_out`."""

    def __init__(self, name: str, directory: str, notes: Notes) -> None:
        self.name, self.directory, self.notes = name, directory, notes
        self.services: dict[str, Node] = {}
        self.left_out: set[str] = set()
        self.networks: dict[str, Node] = {}
        self.volumes: dict[str, Node] = {}
        self.configs: dict[str, Node] = {}
        self.secrets: dict[str, Node] = {}

    def absolute(self, path: str) -> str:
        """Return a path from the file's directory; `~` is the caller's home."""
        home = self.notes.variables.get("HOME", "")
        if home and (path == "~" or path.startswith("~/")):
            path = home + path[1:]
        return os.path.normpath(os.path.join(self.directory, path))

    def unit(self, service: str) -> str:
        """Return the name of a service's file."""
        return f"{self.name}-{service}.container"

    def container(self, service: str) -> str:
        """Return the name of a service's container."""
        entries = self.services[service].entries() if service in self.services else {}
        given = entries["container_name"].text() if "container_name" in entries else ""
        return given or f"{self.name}-{service}-1"


def read(request: Request) -> Project:
    """Read a compose file. What is wrong with it stands in the project's `notes`.

    Raises NotFoundError for a file that isn't there, UsageError for one that is no YAML.
    """
    path = find(request.path or _named(request), request.directory)
    directory = os.path.dirname(os.path.join(request.directory, path))
    variables = _variables(request, directory)
    notes = Notes(path, variables)
    documents = load(_read(os.path.join(request.directory, path)), path)
    if len(documents) != 1 or not isinstance(documents[0], Mapping):
        raise UsageError(f"{path}: a compose file is one mapping, with services", hint="services: …")
    top = Node(documents[0], documents[0].line, "", notes).known(*_TOP)
    project = Project(_name(request, top, directory, variables), os.path.normpath(directory), notes)
    _refuse(top, project, path)
    for kind in ("networks", "volumes", "configs", "secrets"):
        setattr(project, kind, top[kind].entries() if kind in top else {})
    services = top["services"].entries() if "services" in top else {}
    if not services:
        notes.tell("no services", documents[0].line, "")
    wanted = {*request.profiles, *filter(None, variables.get("COMPOSE_PROFILES", "").split(","))}
    for name, node in services.items():
        if not name or not set(name) <= _NAME_LETTERS:
            node.tell("a service's name has only letters, digits, and ._-")
        elif node.is_mapping and not _counts(node, wanted):
            project.left_out.add(name)
        else:
            project.services[name] = node
    return project


def _named(request: Request) -> str:
    """Return the file that COMPOSE_FILE names, in the environment, or else in the directory's `.env`."""
    beside = os.path.join(request.directory, ".env")
    variables = read_variables(beside, request.environ) if os.path.isfile(beside) and not request.env_files else {}
    variables |= request.environ
    separator = variables.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    named = [path for path in variables.get("COMPOSE_FILE", "").split(separator) if path]
    if len(named) > 1:
        hint = "docker compose config writes one file of all"
        raise UsageError(f"COMPOSE_FILE names {len(named)} files, and podpy reads one: {', '.join(named)}", hint=hint)
    return named[0] if named else ""


def find(path: str, directory: str) -> str:
    """Return the compose file that is meant. Raises NotFoundError."""
    if path:
        if os.path.isdir(os.path.join(directory, path)):
            return os.path.join(path, find("", os.path.join(directory, path)))
        return path
    for name in NAMES:
        if os.path.exists(os.path.join(directory, name)):
            return name
    raise NotFoundError(f"{directory}: no compose file is there", hint=f"Its name is one of {', '.join(NAMES)}")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: no such file or directory") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def read_variables(path: str, environ: collections.abc.Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a file. Raises NotFoundError, and UsageError for one that can't be read."""
    try:
        return parse(_read(path).decode(), environ)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: isn't UTF-8") from error
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error


def _variables(request: Request, directory: str) -> dict[str, str]:
    """Return the variables: the caller's, then those of `--env-file`, or of the `.env` beside the file."""
    found: dict[str, str] = {}
    paths = [os.path.join(request.directory, path) for path in request.env_files]
    if not paths and os.path.isfile(os.path.join(directory, ".env")):
        paths = [os.path.join(directory, ".env")]
    for path in paths:
        found.update(read_variables(path, {**found, **request.environ}))
    return {**found, **request.environ}


def _name(request: Request, top: dict[str, Node], directory: str, variables: dict[str, str]) -> str:
    """Return the project's name. Raises UsageError for one that compose doesn't take."""
    for given in (
        request.name,
        variables.get("COMPOSE_PROJECT_NAME", ""),
        top["name"].text() if "name" in top else "",
    ):
        if given:
            if not set(given) <= _LETTERS or given[0] in "_-":
                hint = "Lower case letters, digits, - and _, with a letter or a digit first"
                raise UsageError(f'invalid project name "{given}"', hint=hint)
            return given
    name = os.path.basename(os.path.normpath(directory)).lower()
    name = "".join(letter for letter in name if letter in _LETTERS).lstrip("_-")
    if not name:
        raise UsageError("the directory's name gives no project name", hint="--project-name NAME")
    return name


def _refuse(top: dict[str, Node], project: Project, path: str) -> None:
    if "include" in top:
        hint = "docker compose config writes one file of all"
        top["include"].tell("other compose files aren't read", hint=hint)
    if "models" in top:
        top["models"].tell("podpy runs no models")
    if "version" in top:
        top["version"].tell("has no meaning any more", fatal=False)
    if os.path.basename(path) in NAMES:
        for name in _OVERRIDES:
            if os.path.exists(os.path.join(project.directory, name)):
                text = f"{name} is beside it, which docker compose would read, too"
                project.notes.tell(text, 0, "", hint=f"docker compose config writes one file of both; or remove {name}")


def _counts(node: Node, wanted: set[str]) -> bool:
    profiles = node.entries().get("profiles")
    names = [item.text() for item in profiles.one_or_more()] if profiles else []
    if not names or wanted & {*names, _ALL_PROFILES}:
        return True
    node.tell(f"left out: it is of the profile {', '.join(names)}", hint=f"--profile {names[0]}", fatal=False)
    return False
