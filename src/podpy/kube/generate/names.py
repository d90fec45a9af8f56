"""Names, labels and annotations that an API server accepts (Kubernetes: "Object Names and IDs", "Labels").

Like Podman, podpy removes underscores from names. Each other character that a cluster refuses becomes a hyphen.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 63
_NAME = re.compile(r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)


def is_label(text: str) -> bool:
    """Return whether a text is a DNS label (RFC 1123): the name of a container, a volume or a host."""
    return bool(_LABEL.fullmatch(text))


def label(text: str, ending: str = "") -> str:
    """Return a DNS label made of a text, then `ending`: "My_App.x" is "myapp-x"."""
    return _fitted(text.replace("_", ""), ending)


def slug(text: str, ending: str = "") -> str:
    """Return a DNS label made of a path or a volume's name, where an underscore is a separator: "/a/b_c" is "a-b-c"."""
    return _fitted(text.strip("/"), ending)


def _fitted(text: str, ending: str) -> str:
    cleaned = re.sub(r"[^a-z0-9-]", "-", text.lower()).strip("-")
    return (cleaned[: LONGEST - len(ending)].strip("-") or "x") + ending


def claim(volume: str) -> str:
    """Return the name of a volume's claim: the volume's name if it is a DNS subdomain, else one made of it."""
    return volume if len(volume) <= 253 and _DOMAIN.fullmatch(volume) else slug(volume)


def is_key(text: str) -> bool:
    """Return whether a text may be a label's or an annotation's key: [PREFIX/]NAME."""
    prefix, slash, name = text.rpartition("/")
    return bool(_NAME.fullmatch(name)) and (not slash or (len(prefix) <= 253 and bool(_DOMAIN.fullmatch(prefix))))


def labels(given: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that an API server accepts."""
    return {key: text for key, text in given.items() if is_key(key) and (not text or _NAME.fullmatch(text))}


class Unique:
    """Names of one kind in one document: the first keeps its name, a later equal one gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """Return the name if it is free, else the name and a number."""
        found, number = name, 1
        while found in self._taken:
            number += 1
            found = _fitted(name, f"-{number}")
        self._taken.add(found)
        return found
