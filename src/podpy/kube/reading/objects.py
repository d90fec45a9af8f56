"""Files → the Kubernetes objects in them, in their order."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.kube.reading import schema
from podpy.kube.reading.names import check_name
from podpy.record import Record
from podpy.yaml.load import load
from podpy.yaml.places import Mapping, Sequence, wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from podpy.kube.reading.schema import Note

_NAMES_ONLY = "Service"
WORKLOADS = ("Pod", "Deployment", "DaemonSet", "Job")
KINDS = (*WORKLOADS, "PersistentVolumeClaim", "ConfigMap", "Secret", _NAMES_ONLY)
"""The kinds that podpy reads. Every other kind in a file (Ingress, Role …) is ignored silently, as in Podman."""
_STRICT, _WARN, _IGNORE = MODES = ("strict", "warn", "ignore")


class Source(Record):
    """A file's bytes. `file`: its name in errors; `is_remote`: it came from a URL."""

    file: str
    data: bytes
    is_remote: bool = False


class Object(Record):
    """One Kubernetes object whose fields have their published types."""

    kind: str
    name: str
    value: Mapping
    is_remote: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        """Labels, annotations and the like."""
        metadata: dict[str, Any] = self.value.get("metadata", {})
        return metadata


def read(sources: Iterable[Source], validate: str = _WARN) -> tuple[list[Object], list[Note]]:
    """Return the objects of files, and notes for the user.

    `validate`: "strict" refuses unknown fields, "warn" notes them, "ignore" ignores them. Raises UsageError.
    """
    if validate not in MODES:
        raise UsageError(f'invalid value "{validate}" for --validate', hint=f"One of {', '.join(MODES)}")
    notes: list[Note] = []
    found = [each for source in sources for each in _of_source(source, notes)]
    unknown = [note for note in notes if note.unknown]
    if unknown and validate == _STRICT:
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise UsageError(unknown[0].text + more, hint="--validate=warn takes the file as it is")
    return found, [note for note in notes if validate == _WARN or not note.unknown]


def _of_source(source: Source, notes: list[Note]) -> Iterable[Object]:
    for document in load(source.data, source.file):
        if not isinstance(document, Mapping):
            raise wrong(source.file, getattr(document, "line", 1), "", "a Kubernetes object must be a mapping")
        yield from _of_document(document, source, notes)


def _of_document(document: Mapping, source: Source, notes: list[Note]) -> Iterable[Object]:
    kind = document.get("kind")
    if kind == "List":
        items = document.get("items")
        for index, item in enumerate(items if isinstance(items, Sequence) else ()):
            if not isinstance(item, Mapping):
                raise wrong(source.file, document.lines["items"], f"items[{index}]", "an object must be a mapping")
            yield from _of_document(item, source, notes)
    elif kind in KINDS:
        value = schema.check(document, str(kind), source.file, notes)
        name = value.get("metadata", {}).get("name", "")
        if not name and kind == _NAMES_ONLY:
            return
        if not name:
            where = value.get("metadata", value)
            raise where.wrong("name", f"this {kind} does not have a name")
        check_name(value["metadata"], name)
        yield Object(kind=str(kind), name=name, value=value, is_remote=source.is_remote)
