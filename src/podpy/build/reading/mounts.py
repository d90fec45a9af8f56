"""RUN's `--mount=type=cache,target=/x`: bind, cache, tmpfs, secret and ssh, with BuildKit's and Buildah's keys."""

from __future__ import annotations

import posixpath

from podpy.errors import UsageError
from podpy.go.values import boolean, split_csv
from podpy.record import Record
from podpy.spec.text.values import parse_size
from podpy.suggest import near

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podpy.build.reading.instructions import Run

TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING = ("shared", "private", "locked")
PROPAGATION = ("private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable")
_ALIASES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
_ANY = ("type", "target", "readonly", "readwrite")
_RELABEL = ("z", "Z", "U")
_IDS = ("mode", "uid", "gid")
_KEYS = {
    "bind": (*_ANY, "from", "source", "bind-propagation", *_RELABEL),
    "cache": (*_ANY, "from", "source", "id", "sharing", *_IDS, *_RELABEL),
    "tmpfs": (*_ANY, "size", "tmpfs-size"),
    "secret": (*_ANY, "id", "source", "env", "required", *_IDS),
    "ssh": (*_ANY, "id", "required", *_IDS),
}
_ALL = frozenset([key for keys in _KEYS.values() for key in keys])
_FLAGS = ("readonly", "readwrite", "required", *_RELABEL)


class Mount(Record):
    """One mount of a RUN.

    `target` is as written: relative to the working directory, or "" (a secret's and an agent's have a default).
    `from_`: a stage, an image or a named context; "": the main context. `source`: a path in it, "" its top.
    `id`: of a cache (else its target), a secret or an agent; "" if none is given. `size`: bytes, 0: no limit.
    `options`: z, Z, U, and a kind of propagation. `env`: the variable that a secret becomes, or ""; `is_file`: whether
    it becomes a file.
    """

    type: str
    target: str = ""
    from_: str = ""
    source: str = ""
    read_only: bool = True
    id: str = ""
    sharing: str = "shared"
    required: bool = False
    size: int = 0
    env: str = ""
    is_file: bool = True
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    options: tuple[str, ...] = ()


def read(run: Run, expand: Callable[[str], str]) -> tuple[Mount, ...]:
    """Return an instruction's mounts. `expand` replaces the variables of a value. Raises BuildFileError."""
    return tuple([_mount(run, text, expand) for text in run.mounts])


def sources(run: Run) -> list[str]:
    """Return what the mounts' `from` name; that can hold no variable. Raises BuildFileError."""
    found = []
    for text in run.mounts:
        for key, value in _fields(run, text):
            if key == "from" and value:
                if "$" in value[:-1]:
                    raise run.wrong("'from' doesn't support variable expansion, define alias stage instead", value)
                found.append(value)
    return found


def _fields(run: Run, text: str) -> list[tuple[str, str | None]]:
    try:
        words = split_csv(text)
    except ValueError as error:
        raise run.wrong(f"failed to parse csv mounts: {error}", text) from None
    found: list[tuple[str, str | None]] = []
    for word in words:
        name, sign, value = word.partition("=")
        key = name if name in _RELABEL else _ALIASES.get(name.lower(), name.lower())
        found.append((key, value if sign else None))
    return found


def _mount(run: Run, text: str, expand: Callable[[str], str]) -> Mount:
    """Return one mount. Its type is looked for first: keys that another type has are mistakes wherever they stand."""
    fields: dict[str, str] = {}
    for key, value in _fields(run, text):
        if value is None and key not in _FLAGS:
            raise run.wrong(f"invalid field '{key}' must be a key=value pair", text, hint=_meant(key, _ALL))
        fields[key] = "true" if value is None else value if key == "from" else expand(value)
    kind = fields.get("type", "bind").lower()
    if kind not in TYPES:
        raise run.wrong(f'unsupported mount type "{kind}"', text, hint=_meant(kind, TYPES))
    for key in fields:
        if key not in _KEYS[kind]:
            if key in _ALL:
                raise run.wrong(f"unexpected key '{key}' for mount type '{kind}'", text)
            raise run.wrong(f"unexpected key '{key}'", text, hint=_meant(key, _ALL | _ALIASES.keys()))
    try:
        return _checked(kind, fields)
    except (ValueError, UsageError) as error:
        raise run.wrong(str(error), text) from None


def _meant(word: str, known: Iterable[str]) -> str:
    close = near(word[:40], known)
    return f"Did you mean {close[0]}?" if close else ""


def _checked(kind: str, fields: dict[str, str]) -> Mount:
    """Raises ValueError."""
    sharing = fields.get("sharing", "shared").lower()
    if sharing not in SHARING:
        raise ValueError(f'unsupported sharing value "{sharing}"')
    propagation = fields.get("bind-propagation", "")
    if propagation and propagation not in PROPAGATION:
        raise ValueError(f'unsupported propagation "{propagation}"')
    if kind == "secret":
        _check_secret(fields)
    elif kind != "ssh" and not fields.get("target"):
        raise ValueError(f"a {kind} mount needs a target")
    read_only = kind not in ("cache", "tmpfs")
    if "readonly" in fields:
        read_only = _boolean(fields, "readonly")
    if "readwrite" in fields:
        read_only = not _boolean(fields, "readwrite")
    size = fields.get("size", fields.get("tmpfs-size", ""))
    source = fields.get("source", "")
    return Mount(
        type=kind, target=fields.get("target", ""), from_=fields.get("from", ""),
        source="" if kind == "secret" else source,
        read_only=read_only, id=fields.get("id", source if kind == "secret" else ""), sharing=sharing,
        required=_boolean(fields, "required"), size=parse_size("size", size) if size else 0, env=fields.get("env", ""),
        is_file="env" not in fields or "target" in fields,
        mode=_number(fields, "mode", 8), uid=_number(fields, "uid", 10),
        gid=_number(fields, "gid", 10),
        options=(*[key for key in _RELABEL if _boolean(fields, key)], *([propagation] if propagation else [])),
    )  # fmt: skip


def _check_secret(fields: dict[str, str]) -> None:
    source, given = fields.get("source"), fields.get("id")
    if not (source or given or fields.get("target")):
        raise ValueError("invalid secret mount. one of source, target required")
    if source and given:
        raise ValueError("both source and id can't be set")
    if not source and not given:
        fields["id"] = posixpath.basename(fields["target"])


def _boolean(fields: dict[str, str], key: str) -> bool:
    text = fields.get(key, "false")
    try:
        return boolean(text)
    except ValueError:
        raise ValueError(f"invalid value for {key}: {text}") from None


def _number(fields: dict[str, str], key: str, base: int) -> int | None:
    text = fields.get(key)
    if text is None:
        return None
    digits = "01234567" if base == 8 else "0123456789"
    if not text or text.strip(digits) or len(text) > 11 or int(text, base) >= 1 << 32:
        raise ValueError(f"invalid value {text} for {key}")
    return int(text, base)
