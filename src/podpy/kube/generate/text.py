"""YAML as Go's encoder writes it: sorted keys, lists at their key's margin, and quotes where a reader could err.

A string that YAML 1.1 or 1.2 reads as another type is in double quotes, lines in between are a block (`|`). libyaml,
of which Go's encoder is a translation, decides on the rest. PyYAML's own resolver knows YAML 1.1 alone, so the
question what must be quoted is answered here.
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
    """Return whether a reader of YAML 1.1 or 1.2 takes the bare text for anything but a string."""
    return text.lower() in _WORDS or bool(_NUMBER.fullmatch(text) or _DATE.fullmatch(text))


def dump(document: dict[str, Any]) -> str:
    """Return a document of plain data as YAML, its keys sorted."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=80)
    return text


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """libyaml's emitter. Nothing is an alias: files for clusters name everything where it stands."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else '"' if is_ambiguous(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
