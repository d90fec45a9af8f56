"""YAML as Go's encoder writes it: sorted keys, lists at their key's margin, quotes around ambiguous strings.

A string that YAML 1.1 or 1.2 reads as another type is in double quotes; a string of several lines is a block (`|`).
libyaml, of which Go's encoder is a translation, decides the rest. PyYAML's own resolver knows only YAML 1.1, so this
module decides which strings are ambiguous.
"""

from __future__ import annotations

import re

import yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WORDS = frozenset("y n yes no on off true false null ~ = <<".split()) | {""}
_NUMBER = re.compile(
    r"""[-+]?(
        0[xX][0-9a-fA-F_]+ | 0[oO]?[0-7_]+ | 0[bB][01_]+ |
        (\d[\d_]* (\.[\d_]*)? | \.[\d_]+) ([eE][-+]?\d+)? |
        \d[\d_]* (:[0-5]?\d)+ (\.[\d_]*)? |
        \.(inf|Inf|INF|nan|NaN|NAN)
    )""",
    re.VERBOSE | re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?([Tt ].*)?", re.ASCII | re.DOTALL)


def is_ambiguous(text: str) -> bool:
    """Return whether a reader of YAML 1.1 or 1.2 takes the unquoted text for anything but a string."""
    return text.lower() in _WORDS or bool(_NUMBER.fullmatch(text) or _DATE.fullmatch(text))


def dump(document: dict[str, Any]) -> str:
    """Return a document of plain data as YAML with sorted keys."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=80)
    return text


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """libyaml's emitter, without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else '"' if is_ambiguous(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
