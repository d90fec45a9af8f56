#!/usr/bin/env python3
"""Writes tests/library/signatures.txt: what programs that import podpy may rely on, made from the code.

    scripts/signatures.py

Every name that came, went or changed must stand in the section "Unreleased" of CHANGELOG.md, in backticks, before the
file is written: `Container.exec`, or `Container` for a whole class that came.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import get_overloads

CHECKOUT = Path(__file__).resolve().parent.parent
RECORD = CHECKOUT / "tests/library/signatures.txt"
sys.path[:0] = [str(CHECKOUT / "src")]


def public_classes() -> list[type]:
    """Return the classes whose public methods are recorded."""
    from podpy.libpod.engine import Engine
    from podpy.libpod.networks.manager import Networks
    from podpy.libpod.secrets import Secrets
    from podpy.libpod.system.events import EventStream
    from podpy.libpod.volumes.manager import Volumes
    from podpy.library import archives, container, containers, images, kube, lines, pods, running, runtime, system

    assert issubclass(runtime.Runtime, Engine)
    found = [runtime.Runtime, containers.Containers, container.Container, images.Images, pods.Pods, pods.Pod, Volumes]
    found += [Networks, Secrets, EventStream, kube.Kube, system.System, lines.Lines, running.Running]
    return [*found, running.Chunk, running.ExecResult, archives.PathStat]


def signatures() -> list[str]:
    """Return a line for each public name, sorted."""
    import podpy
    from podpy import aio
    from podpy.library.options import Options
    from podpy.record import Record
    from podpy.spec.container import ContainerSpec, Mount
    from podpy.spec.pod import PodSpec

    found = [f"podpy.{name}" for name in podpy.__all__]
    found += [f"Options.{name}: {kind.__forward_arg__}" for name, kind in Options.__annotations__.items()]
    for kind in [*public_classes(), ContainerSpec, Mount, PodSpec]:
        if issubclass(kind, Record):
            found += [f"{kind.__name__}.{name}: {_annotation(kind, name)}" for name in kind._fields]
            if kind in (ContainerSpec, Mount, PodSpec):
                continue
        for name in dir(kind):
            found += _of(kind, name)
    found += [
        f"aio.{line}"
        for kind in aio.__all__
        for name in dir(getattr(aio, kind))
        for line in _of(getattr(aio, kind), name)
    ]
    return sorted(set(found))


def _annotation(kind: type, name: str) -> str:
    return next(str(found[name]) for base in kind.__mro__ if name in (found := inspect.get_annotations(base)))


def _of(kind: type, name: str) -> list[str]:
    from podpy.libpod.engine import Engine
    from podpy.record import Record

    where = next((base for base in kind.__mro__ if name in base.__dict__), object)
    if name.startswith("_") or where in (object, list, Record) or (where is Engine and name != "close"):
        return []
    value = inspect.getattr_static(kind, name)
    full = f"{kind.__name__}.{name}"
    if isinstance(value, property):
        return [f"{full} -> {inspect.signature(value.fget).return_annotation}"]  # type: ignore[arg-type]
    if not inspect.isfunction(value):
        return []
    return [f"{full}{shown(inspect.signature(one))}" for one in get_overloads(value) or [value]]


def shown(signature: inspect.Signature) -> str:
    """Return a signature as it stands in the code, the same with every Python."""
    words = []
    kinds = [each.kind for each in signature.parameters.values()]
    for place, each in enumerate(signature.parameters.values()):
        star = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        typed = f": {each.annotation}" if each.annotation is not each.empty else ""
        default = "..." if each.default is ... else repr(each.default)
        if each.kind is each.KEYWORD_ONLY and not {each.KEYWORD_ONLY, each.VAR_POSITIONAL} & {*kinds[:place]}:
            words.append("*")
        words.append(f"{star}{each.name}{typed}" + (f" = {default}" if each.default is not each.empty else ""))
        if each.kind is each.POSITIONAL_ONLY and kinds[place + 1 : place + 2] != [each.POSITIONAL_ONLY]:
            words.append("/")
    return f"({', '.join(words)}) -> {signature.return_annotation}"


def changed(recorded: list[str], now: list[str]) -> set[str]:
    """Return the names (`Container.exec`) whose lines differ."""
    differing = set(recorded) ^ set(now)
    return {line.partition("(")[0].partition(":")[0].partition(" ")[0] for line in differing}


def untold(names: set[str], recorded: list[str]) -> list[str]:
    """Return those of the names that the change log's newest section doesn't have, sorted. The name of a class is
    enough if none of its own was recorded before.
    """
    known = {line.partition(".")[0] for line in recorded}
    text = (CHECKOUT / "CHANGELOG.md").read_text()
    section = text[text.index("## Unreleased") :].split("\n## ", 1)[0].replace("\n", " ")
    told = {n for n in names if f"`{n}`" in section}
    told |= {n for n in names if (kind := n.partition(".")[0]) not in known and f"`{kind}`" in section}
    return sorted(names - told)


def main() -> int:
    """Write the record, unless something isn't told."""
    now = signatures()
    recorded = RECORD.read_text().splitlines() if RECORD.exists() else []
    missing = untold(changed(recorded, now), recorded)
    if missing:
        print("first tell in CHANGELOG.md, section Unreleased, of: " + ", ".join(f"`{n}`" for n in missing))
        return 1
    RECORD.write_text("\n".join(now) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
