"""registries.d (containers-registries.d(5)): where the signatures of a registry's images are.

Only one directory counts: the user's if it exists, else the system's. Its *.yaml files are one configuration: a scope
that two of them describe is an error, as is a file that isn't understood.
"""

from __future__ import annotations

import os

from podpy.config.load_order import directories, drop_ins
from podpy.errors import ConfigError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAME, _EXTENSION = "registries", ".yaml"
_HINT = "See containers-registries.d(5)"
_DEFAULT = "default-docker"


class Section(Record):
    """One configuration section. Where it says nothing (None, empty), a more general section may."""

    lookaside: str = ""
    use_sigstore_attachments: bool | None = None


class RegistriesD(Record):
    """The merged configuration: sections by scope; the scope "" is `default-docker`."""

    sections: dict[str, Section] = {}

    def lookaside(self, scopes: list[str]) -> str:
        """Return the URL of the signature storage for an image with these scopes, or an empty text."""
        return next((section.lookaside for section in self._of(scopes) if section.lookaside), "")

    def use_sigstore_attachments(self, scopes: list[str]) -> bool:
        """Return whether an image with these scopes may have signatures beside it in its registry."""
        said = [section.use_sigstore_attachments for section in self._of(scopes)]
        return next((value for value in said if value is not None), False)

    def _of(self, scopes: list[str]) -> list[Section]:
        return [self.sections[scope] for scope in (*scopes, "") if scope in self.sections]


def load(home: str, uid: int) -> RegistriesD:
    """Return the configuration of a user (root, too): see podpy.config.load_order. Raises ConfigError."""
    own = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return _merge(drop_ins(directories(_NAME, uid, os.path.join(own, "containers")), _EXTENSION))


def load_directory(directory: str) -> RegistriesD:
    """Return the configuration in this directory. Raises ConfigError."""
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(_EXTENSION))
    except OSError as error:
        raise ConfigError(f"{directory}: {error.strerror}", hint=_HINT) from None
    return _merge([os.path.join(directory, name) for name in names])


def _merge(paths: list[str]) -> RegistriesD:
    sections: dict[str, Section] = {}
    origin: dict[str, str] = {}
    for path in paths:
        document = _read(path)
        found = _mapping(document.get("docker") or {}, path, "docker")
        if document.get(_DEFAULT) is not None:
            found = {**found, "": document[_DEFAULT]}
        for scope, value in found.items():
            where = f"docker.{scope}" if scope else _DEFAULT
            if scope in sections:
                raise ConfigError(f"{where} is defined both in {origin[scope]} and {path}", hint=_HINT)
            sections[scope] = _section(value, path, where)
            origin[scope] = path
    return RegistriesD(sections=sections)


def _read(path: str) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """PyYAML's safe loader takes the last of equal keys; the format forbids them."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value]
            twice = next((key for key in keys if keys.count(key) > 1), None)
            if twice is not None:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key "{twice}" is there twice', node.start_mark
                )
            return super().construct_mapping(node, deep)

    try:
        with open(path, "rb") as file:
            document = yaml.load(file, Loader)  # derived from SafeLoader
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint=_HINT) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split()) or "nested too deeply"
        raise ConfigError(f"{path}: {reason}", hint=_HINT) from None
    return _mapping({} if document is None else document, path, "the file")


def _mapping(value: Any, path: str, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"{path}: {what} is not a mapping", hint=_HINT)
    return value


def _section(value: Any, path: str, where: str) -> Section:
    section = _mapping({} if value is None else value, path, where)
    # `sigstore` is what `lookaside` was called before containers-common 0.46.
    texts = [section.get(key) or "" for key in ("lookaside", "sigstore")]
    attachments = section.get("use-sigstore-attachments")
    if not all(isinstance(text, str) for text in texts):
        raise ConfigError(f"{path}: {where}.lookaside is not a text", hint=_HINT)
    if attachments is not None and not isinstance(attachments, bool):
        raise ConfigError(f"{path}: {where}.use-sigstore-attachments is not true or false", hint=_HINT)
    return Section(lookaside=texts[0] or texts[1], use_sigstore_attachments=attachments)
