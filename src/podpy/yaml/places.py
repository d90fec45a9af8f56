"""Lists and mappings with their positions in a file."""

from __future__ import annotations

import base64

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Plain(str):
    """An unquoted scalar as written: its meaning depends on the field (`scalars`)."""

    __slots__ = ()


class Mapping(dict[str, "Any"]):
    """A mapping. `lines`: each key's line; `path`: its field, such as "spec.containers[0]"."""

    def __init__(self, file: str, line: int, path: str = "") -> None:
        self.file = file
        self.line = line
        self.path = path
        self.lines: dict[str, int] = {}

    def wrong(self, key: str, message: str, *, hint: str = "") -> UsageError:
        """Return the error about one field, or about the mapping itself with key ""."""
        path = field(self.path, key) if key else self.path
        return wrong(self.file, self.lines.get(key, self.line), path, message, hint=hint)


class Sequence(list["Any"]):
    """A list. `lines`: each item's line."""

    def __init__(self, file: str, line: int, path: str = "") -> None:
        self.file = file
        self.line = line
        self.path = path
        self.lines: list[int] = []

    def wrong(self, index: int, message: str, *, hint: str = "") -> UsageError:
        """Return the error about one item."""
        return wrong(self.file, self.lines[index], f"{self.path}[{index}]", message, hint=hint)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; bytes in base64, as Kubernetes has them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def wrong(file: str, line: int, path: str, message: str, *, hint: str = "") -> UsageError:
    """Return an error in one line: "FILE:LINE: FIELD: MESSAGE"."""
    words = [f"{file}:{line}", path, message] if path else [f"{file}:{line}", message]
    return UsageError(": ".join(words), hint=hint)


def field(path: str, key: str) -> str:
    """Return the path of a field; a key that isn't a word is in brackets, as kubectl writes it."""
    if not key.replace("_", "").isalnum():
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
