"""The ConfigMaps and Secrets that pods may name: from the files, --configmap, and podpy's secret store."""

from __future__ import annotations

import json

from podpy.errors import PodpyError
from podpy.kube.reading.schema import check
from podpy.yaml.load import load
from podpy.yaml.places import Mapping, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from podpy.kube.reading.objects import Object

    Stored = Callable[[str], bytes | None]

_REFERENCES = ("configMapRef", "configMapKeyRef", "configMap")
_OF_CONFIGMAP = ("data", "binaryData", "immutable")


class References:
    """ConfigMaps and Secrets by name: their keys with bytes."""

    def __init__(self, objects: Iterable[Object], stored: Stored) -> None:
        """`stored` returns the data of podpy's secret of a name, or None. Raises UsageError (a duplicate key)."""
        self._configmaps: dict[str, dict[str, bytes]] = {}
        self._secrets: dict[str, dict[str, bytes]] = {}
        self._stored = stored
        self._documents: dict[str, Mapping] = {}
        for each in objects:
            if each.kind == "ConfigMap":
                self._configmaps[each.name] = _of_configmap(each.value)
                self._documents[each.name] = each.value
            elif each.kind == "Secret":
                self._secrets[each.name] = of_secret(each.value)

    def configmap(self, name: str) -> dict[str, bytes] | None:
        """Return a ConfigMap's data, or None."""
        return self._configmaps.get(name)

    def texts(self, name: str) -> dict[str, bytes] | None:
        """Return what variables may have of a ConfigMap: its `data` without `binaryData`; None if there is none."""
        if name not in self._documents:
            return None
        return {key: text.encode() for key, text in self._documents[name].get("data", {}).items()}

    def documents(self, pod: Mapping) -> dict[str, Any]:
        """Return the ConfigMaps that a pod names, by their names: their data as it stands in a file."""
        found = {name: self._documents[name] for name in _named(pod) if name in self._documents}
        return {name: {key: plain(each[key]) for key in _OF_CONFIGMAP if key in each} for name, each in found.items()}

    def secret(self, name: str) -> dict[str, bytes] | None:
        """Return a Secret's data, or None. A secret of podpy's store must be a Secret's YAML, or JSON of texts."""
        if name not in self._secrets:
            data = self._stored(name)
            if data is None:
                return None
            self._secrets[name] = _of_stored(name, data)
        return self._secrets[name]


def _named(value: Any) -> Iterator[str]:
    """Yield the names of the ConfigMaps in a pod's variables and volumes."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _REFERENCES and isinstance(item, dict):
                yield item.get("name", "")
            yield from _named(item)


def _of_configmap(value: Mapping) -> dict[str, bytes]:
    binary: dict[str, bytes] = value.get("binaryData", {})
    texts: dict[str, str] = value.get("data", {})
    for key in texts:
        if key in binary:
            raise value["data"].wrong(key, f'duplicate key "{key}" present in data and binaryData')
    return {**{key: text.encode() for key, text in texts.items()}, **binary}


def of_secret(value: Mapping) -> dict[str, bytes]:
    """Return a Secret's data; stringData overrides data (Secret v1)."""
    texts: dict[str, str] = value.get("stringData", {})
    return {**value.get("data", {}), **{key: text.encode() for key, text in texts.items()}}


def _of_stored(name: str, data: bytes) -> dict[str, bytes]:
    """Return the data of a secret in podpy's store. Raises UsageError."""
    try:
        document = load(data, f"secret {name}")[0]
        if isinstance(document, Mapping) and "kind" in document:
            return of_secret(check(document, "Secret", f"secret {name}", []))
        found = json.loads(data)
        return {key: str(text).encode() for key, text in found.items()}
    except (IndexError, ValueError, AttributeError):
        raise PodpyError(
            f"secret {name}: only secrets created via the kube yaml file are supported",
            hint="Put a Secret into the file, or store its YAML: podpy secret create NAME FILE",
        ) from None
