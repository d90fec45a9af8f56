"""YAML → values with positions, in one pass over libyaml's events.

Not PyYAML's constructor: it drops the lines, takes the last of equal keys, and builds Python objects by YAML 1.1.
Limits: the depth, and the values that aliases add. A document can't contain itself. No text has a NUL.
"""

from __future__ import annotations

import base64
import binascii

import yaml

from podpy.yaml.places import Mapping, Plain, Sequence, wrong
from podpy.yaml.scalars import resolve, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_BYTES = 16 << 20
_DEEPEST = 100  # levels, with those of aliases: readers of values recurse for each
_MOST_ALIASED = 100_000  # values that a file's aliases may add: anchors in anchors grow exponentially
_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"


def load(data: bytes, file: str) -> list[Any]:
    """Return the documents of a YAML file: Mapping, Sequence, str, and Plain for scalars without quotes.

    Empty documents are omitted. `file` is its name in errors. Raises UsageError.
    """
    if len(data) > MOST_BYTES:
        raise wrong(file, 1, "", f"a YAML file may have at most {MOST_BYTES >> 20} MiB")
    builder = _Builder(file)
    try:
        for event in yaml.parse(data, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise wrong(file, mark.line + 1 if mark else 1, "", error.problem or str(error)) from None
    except yaml.YAMLError as error:  # bytes that aren't text
        raise wrong(file, 1, "", " ".join(str(error).split())) from None
    return builder.documents


class _Frame:
    """A mapping or a list that isn't complete yet."""

    __slots__ = ("anchor", "height", "key", "key_line", "merges", "value", "weight")

    def __init__(self, value: Mapping | Sequence, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: str | None = None
        self.key_line = 0
        self.merges: list[Mapping] = []
        self.weight = 1
        self.height = 1


class _Builder:
    def __init__(self, file: str) -> None:
        self.documents: list[Any] = []
        self._file = file
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int, int]] = {}  # complete values, with their counts of values and levels
        self._aliased = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._frames.append(_Frame(Mapping(self._file, line), event.anchor))
        elif isinstance(event, yaml.SequenceStartEvent):
            self._frames.append(_Frame(Sequence(self._file, line), event.anchor))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", line)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()

    def _scalar(self, event: Any, line: int) -> None:
        value: str = event.value if event.style else Plain(event.value)
        tag = event.tag or ""
        if tag == f"{_TAG}str":
            value = str(event.value)
        elif tag == f"{_TAG}binary":
            value = self._binary(event.value, line)
        elif tag.startswith(_TAG):
            value = Plain(event.value)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, 0)
        if "\0" in value:
            raise wrong(self._file, line, "", "a text has a NUL character")
        self._put(value, 1, 0, line)

    def _binary(self, text: str, line: int) -> str:
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise wrong(self._file, line, "", "!!binary needs the base64 form of a text") from None

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self._anchors:
            raise wrong(self._file, line, "", f"no complete value with the anchor &{anchor} precedes this alias")
        value, weight, height = self._anchors[anchor]
        self._aliased += weight
        if self._aliased > _MOST_ALIASED:
            raise wrong(self._file, line, "", f"aliases stand for more than {_MOST_ALIASED} values")
        self._put(value, weight, height, line)

    def _end(self) -> None:
        frame = self._frames.pop()
        value = frame.value
        for other in frame.merges:  # YAML's merge key, which the mapping's own keys override
            for key, item in other.items():
                if key not in value and isinstance(value, Mapping):
                    value[key] = item
                    value.lines[key] = other.lines[key]
        if frame.anchor:
            self._anchors[frame.anchor] = (value, frame.weight, frame.height)
        self._put(value, frame.weight, frame.height, value.line)

    def _put(self, value: Any, weight: int, height: int, line: int) -> None:
        """Add a complete value to its list, mapping or document."""
        if not self._frames:
            if not (isinstance(value, Plain) and resolve(value) is None):
                self.documents.append(value)
            return
        if len(self._frames) + height > _DEEPEST:
            raise wrong(self._file, line, "", f"lists and mappings may have at most {_DEEPEST} levels")
        frame = self._frames[-1]
        frame.weight += weight
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.value, Sequence):
            frame.value.append(value)
            frame.value.lines.append(line)
        elif frame.key is None:
            frame.key = self._key(frame.value, value, line)
            frame.key_line = line
        else:
            key, frame.key = frame.key, None
            if key == _MERGE:
                frame.merges += self._merged(value, line)
            else:
                frame.value[key] = value

    def _key(self, mapping: Mapping, value: Any, line: int) -> str:
        if not isinstance(value, str):
            raise wrong(self._file, line, "", "a key must be a text, not a list or a mapping")
        if value == _MERGE and isinstance(value, Plain):
            return _MERGE
        key = text_of(resolve(value)) if isinstance(value, Plain) else value
        if key in mapping.lines:
            raise wrong(self._file, line, "", f'mapping key "{key}" already defined at line {mapping.lines[key]}')
        mapping.lines[key] = line
        return key

    def _merged(self, value: Any, line: int) -> list[Mapping]:
        values = value if isinstance(value, Sequence) else [value]
        if not all(isinstance(each, Mapping) for each in values):
            raise wrong(self._file, line, "", "<< needs a mapping, or a list of mappings")
        return list(values)
