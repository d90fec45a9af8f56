"""The ConfigMaps and Secrets that pods name: of the files, of --configmap, and the secrets in podpy's store."""

from __future__ import annotations

import json

from podpy.errors import PodpyError
from podpy.kube.reading.load import load
from podpy.kube.reading.places import Mapping
from podpy.kube.reading.schema import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podpy.kube.reading.objects import Object

    Stored = Callable[[str], bytes | None]


class References:
    """What names of ConfigMaps and Secrets stand for: keys with their bytes."""

    def __init__(self, objects: Iterable[Object], stored: Stored) -> None:
        """`stored` returns what podpy's store has under a secret's name, or None. Raises UsageError (a key twice)."""
        self._configmaps: dict[str, dict[str, bytes]] = {}
        self._secrets: dict[str, dict[str, bytes]] = {}
        self._stored = stored
        for each in objects:
            if each.kind == "ConfigMap":
                self._configmaps[each.name] = _of_configmap(each.value)
            elif each.kind == "Secret":
                self._secrets[each.name] = of_secret(each.value)

    def configmap(self, name: str) -> dict[str, bytes] | None:
        """Return a ConfigMap's data, or None if there is none of this name."""
        return self._configmaps.get(name)

    def secret(self, name: str) -> dict[str, bytes] | None:
        """Return a Secret's data, or None. One of podpy's store counts if it is a Secret's YAML, or JSON of texts."""
        if name not in self._secrets:
            data = self._stored(name)
            if data is None:
                return None
            self._secrets[name] = _of_stored(name, data)
        return self._secrets[name]


def _of_configmap(value: Mapping) -> dict[str, bytes]:
    binary: dict[str, bytes] = value.get("binaryData", {})
    texts: dict[str, str] = value.get("data", {})
    for key in texts:
        if key in binary:
            raise value["data"].wrong(key, f'duplicate key "{key}" present in data and binaryData')
    return {**{key: text.encode() for key, text in texts.items()}, **binary}


def of_secret(value: Mapping) -> dict[str, bytes]:
    """Return a Secret's data; stringData stands over data (Secret v1)."""
    texts: dict[str, str] = value.get("stringData", {})
    return {**value.get("data", {}), **{key: text.encode() for key, text in texts.items()}}


def _of_stored(name: str, data: bytes) -> dict[str, bytes]:
    """Return the data of a secret that `kube play`, or somebody else, has stored. Raises UsageError."""
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
