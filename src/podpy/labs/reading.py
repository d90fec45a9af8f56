"""texts/NAME.toml → Lab, in one language."""

from __future__ import annotations

import os
import tomllib

from podpy.errors import NotFoundError
from podpy.record import Record
from podpy.suggest import near

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LANGUAGES = ("en", "fr")
_TEXTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "texts")
_ORDER = (
    "namespaces", "userns", "capabilities", "seccomp", "cgroups", "oom", "layers", "network", "conmon", "owner", "oci",
    "pods", "docker-vs-podman",
)  # fmt: skip


class Step(Record):
    """One command of a lab, with what is said before and after it."""

    text: str
    command: str
    see: str
    expect: str  # a regular expression that the output matches somewhere, line by line
    code: int = 0  # the exit code
    needs: tuple[str, ...] = ()  # programs of this machine
    check: str = ""  # the check of `podpy system doctor` that, if it fails, forbids this step


class Lab(Record):
    """One lab. `clean`: commands that remove what its steps make, whether they ran or not."""

    name: str
    title: str
    steps: tuple[Step, ...]
    clean: tuple[str, ...] = ()
    check: str = ""  # as a step's, for the whole lab


def language(environ: Mapping[str, str]) -> str:
    """Return the language that the environment asks for (locale(7)), "en" if there are no texts in it."""
    said = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return said[:2] if said[:2] in LANGUAGES else LANGUAGES[0]


def names() -> tuple[str, ...]:
    """Return the labs' names, in the order in which they are best done."""
    return _ORDER


def read(name: str, tongue: str) -> Lab:
    """Return a lab in this language. Raises NotFoundError."""
    if name not in _ORDER:
        close = near(name, _ORDER)
        raise NotFoundError(
            f"there is no lab {name!r}", hint=f"Did you mean {close[0]}?" if close else "podpy lab list shows all"
        )
    with open(os.path.join(_TEXTS, f"{name}.toml"), "rb") as file:
        data = tomllib.load(file)
    return Lab(
        name=name,
        title=data["title"][tongue],
        steps=tuple(_step(step, tongue) for step in data["steps"]),
        clean=tuple(data.get("clean", ())),
        check=data.get("check", ""),
    )


def _step(data: dict[str, Any], tongue: str) -> Step:
    return Step(
        text=data[tongue],
        command=data["run"],
        see=data["see"][tongue],
        expect=data["expect"],
        code=data.get("code", 0),
        needs=tuple(data.get("needs", ())),
        check=data.get("check", ""),
    )
