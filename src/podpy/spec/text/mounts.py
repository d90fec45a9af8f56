"""`--mount type=TYPE,KEY=VALUE,…` (podman-run(1), --mount); types image and artifact: image_mounts."""

from __future__ import annotations

import os

from podpy.errors import NotSupportedError, UsageError
from podpy.go.values import split_csv
from podpy.spec.container import PROPAGATIONS, Mount
from podpy.spec.text import mount_options
from podpy.spec.text.volumes import check_volume_name, target_path

_TYPES = ("bind", "tmpfs", "volume", "devpts", "glob", "ramfs")
_ALIKE = (("glob", "bind"), ("ramfs", "tmpfs"))  # the first type takes the second's keys
_SOURCE = ("src", "source")
_TARGET = ("target", "dst", "dest", "destination")
_PLAIN = frozenset(
    ["dev", "nodev", "exec", "noexec", "suid", "nosuid", "noswap", "z", "Z", "no-dereference", *PROPAGATIONS]
)
_DEVPTS = frozenset("uid gid mode ptmxmode newinstance max".split())


def parse_mount(text: str, *, rootless: bool = True, directory: str = "") -> list[Mount]:
    """Return the mounts that one `--mount` asks for (a glob may give several). Raises UsageError.

    `directory` is the base of relative sources; without it they stay relative, and a glob's base is the root.
    """
    try:
        words = split_csv(text)
    except ValueError as error:
        raise UsageError(f"--mount {text}: {error}") from None
    kinds = [word[5:] for word in words if word.startswith("type=")]
    kind = kinds[0] if kinds else "volume"
    words = [word for word in words if not word.startswith("type=")]
    if kind in ("image", "artifact"):
        from podpy.spec.text.image_mounts import parse_artifact, parse_image

        return [parse_image(words) if kind == "image" else parse_artifact(words)]
    if kind not in _TYPES:
        raise UsageError(f'invalid filesystem type "{kind}"', hint=f"One of {', '.join(_TYPES)}, image, artifact")
    entry = _Entry(kind, text, directory)
    for word in words:
        entry.add(word)
    return entry.mounts(rootless=rootless)


class _Entry:
    """The keys of one `--mount`, collected one by one."""

    def __init__(self, kind: str, text: str, directory: str) -> None:
        self.kind = kind
        self.text = text
        self.directory = directory
        self.source = ""
        self.target = ""
        self.subpath = ""
        self.options: list[str] = []

    def add(self, word: str) -> None:
        """Take one KEY or KEY=VALUE."""
        key, equals, value = word.partition("=")
        if key in _SOURCE:
            self._set_source(key, value, given=bool(equals))
        elif key in _TARGET:
            if self.target:
                raise UsageError(f'cannot pass "{key}" option more than once')
            self.target = target_path(_required(key, value, given=bool(equals)))
        elif self.kind == "devpts":
            if key not in _DEVPTS:
                raise _unknown(key)
            self.options.append(word)
        else:
            self._add_option(key, value, given=bool(equals))

    def _set_source(self, key: str, value: str, *, given: bool) -> None:
        if self.kind in ("tmpfs", "ramfs", "devpts"):
            raise self._not_for_kind(key)
        if self.source:
            raise UsageError(f'cannot pass "{key}" option more than once')
        if given and not value:
            raise UsageError("host directory cannot be empty")
        self.source = _required(key, value, given=given)

    def _add_option(self, key: str, value: str, *, given: bool) -> None:
        if key in ("readonly", "ro", "rw"):
            self._add_access("ro" if key == "readonly" else key, value if given else "true")
        elif key in ("U", "chown"):
            if _is_true(key, value or "true"):
                self.options.append("U")
        elif key == "relabel":
            if value not in ("private", "shared"):
                raise UsageError("relabel mount option must be 'private' or 'shared': invalid mount option")
            self.options.append("Z" if value == "private" else "z")
        elif key == "idmap":
            self.options.append(f"idmap={value}" if given else "idmap")
        elif key in _PLAIN:
            self.options.append(key)
        elif key != "consistency":
            self._add_special(key, value, given=given)

    def _add_access(self, key: str, value: str) -> None:
        if _is_true(key, value):
            self.options.append(key)
        elif key == "rw":
            self.options.append("ro")

    def _add_special(self, key: str, value: str, *, given: bool) -> None:
        """Take a key that only one type has."""
        if key in ("bind-nonrecursive", "bind-propagation"):
            self._need("bind", key)
            if key == "bind-propagation" and value not in PROPAGATIONS:
                raise UsageError(f'invalid value "{key}={value}"', hint=f"One of {', '.join(sorted(PROPAGATIONS))}")
            self.options.append("bind" if key == "bind-nonrecursive" else value)
        elif key in ("tmpfs-size", "tmpfs-mode", "tmpcopyup", "notmpcopyup", "noatime"):
            self._need("tmpfs", key)
            needs_value = key.startswith("tmpfs-")
            self.options.append(f"{key[6:]}={_required(key, value, given=given)}" if needs_value else key)
        elif key in ("subpath", "volume-subpath"):
            self._need("volume", key)
            self.subpath = _required(key, value, given=given)
        elif key == "volume-opt":
            self._need("volume", key)
            self.options.append(f"volume-opt={_required(key, value, given=given)}")
        elif key == "nocreate":
            self._need("volume", key)
            self.options.append(key)
        elif key == "volume-label":
            raise NotSupportedError("the --volume-label option is not presently implemented")
        else:
            raise _unknown(key)

    def mounts(self, *, rootless: bool) -> list[Mount]:
        """Return the mounts. Raises UsageError for a missing key or options that exclude each other."""
        if not self.target and self.kind != "glob":
            raise UsageError("must set volume destination", hint=f"--mount {self.text},target=/DIR")
        is_tmpfs = self.kind in ("tmpfs", "ramfs")
        if self.kind != "devpts":
            self.options = mount_options.check(self.options, is_tmpfs=is_tmpfs, rootless=rootless)
        if self.kind == "glob":
            return self._globbed()
        source = self.source
        if self.kind == "bind":
            source = os.path.normpath(os.path.join(self.directory, source or self.target))
        if self.kind == "volume" and source:
            check_volume_name(source)
        return [Mount(type=self.kind, source=source, target=self.target, options=self.options, subpath=self.subpath)]

    def _globbed(self) -> list[Mount]:
        from glob import glob

        found = sorted(glob(os.path.normpath(os.path.join(self.directory or "/", self.source))))
        if not found:
            raise UsageError(f'no file paths matching glob "{self.source}"')
        base = self.target
        return [
            Mount(
                type="bind",
                source=path,
                target=os.path.join(base, os.path.basename(path)) if base else path,
                options=list(self.options),
            )
            for path in found
        ]

    def _need(self, kind: str, key: str) -> None:
        if (self.kind, kind) not in _ALIKE and self.kind != kind:
            raise self._not_for_kind(key)

    def _not_for_kind(self, key: str) -> UsageError:
        return UsageError(f'"{key}" option not supported for "{self.kind}" mount types')


def _required(key: str, value: str, *, given: bool) -> str:
    if not given or not value:
        raise UsageError(f"{key}: must provide an argument for option")
    return value


def _is_true(key: str, value: str) -> bool:
    lower = value.lower()
    if lower not in ("true", "false"):
        raise UsageError(f"'{key}' must be set to true or false, instead received {value!r}")
    return lower == "true"


def _unknown(key: str) -> UsageError:
    return UsageError(f"{key}: invalid mount option", hint="man podman-run, --mount")
