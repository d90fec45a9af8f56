"""What `volume create --opt` asks of the driver `local` (podman-volume-create(1)): read, checked, made a mount. Pure.

    type=, device=, o=    as mount(8) has them; o= takes uid, gid, size, inodes, noquota and timeout, too
    copy, nocopy          whether the first container's image fills the volume

What o= says of the volume itself is kept a second time under names in capitals, as Podman shows it: UID, GID, SIZE.
"""

from __future__ import annotations

from podpy import linux, numbers
from podpy.errors import NotSupportedError, StorageError, UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LOCAL = "local"
_KEYS = frozenset("o type device uid gid size inodes noquota copy nocopy".split())
_KEPT = frozenset("UID GID SIZE INODES NOQUOTA copy nocopy uid gid size inodes noquota".split())
_BINDS = ("bind", "rbind")
_SIZE_UNITS = frozenset("bkmgtp")
_FLAGS = {
    "ro": linux.MS_RDONLY,
    "nosuid": linux.MS_NOSUID,
    "nodev": linux.MS_NODEV,
    "noexec": linux.MS_NOEXEC,
    "sync": linux.MS_SYNCHRONOUS,
    "dirsync": linux.MS_DIRSYNC,
    "noatime": linux.MS_NOATIME,
    "nodiratime": linux.MS_NODIRATIME,
    "relatime": linux.MS_RELATIME,
    "strictatime": linux.MS_STRICTATIME,
}
_USUAL = frozenset("rw suid dev exec async atime diratime defaults".split())  # what a mount is without the contrary
_OWN = frozenset(["noquota", "timeout"])


class Options(Record):
    """The options of a new volume: `shown` is what its row keeps; its owner, None where they say none."""

    shown: dict[str, str]
    uid: int | None = None
    gid: int | None = None


class MountRequest(Record):
    """The arguments of mount(2): `flags` of a bind mount take effect by a second call (mount(2), MS_REMOUNT)."""

    source: str
    type: str
    flags: int = 0
    data: str = ""
    bind: bool = False
    recursive: bool = False


def read(given: Mapping[str, str]) -> Options:
    """Return what the options say. Raises UsageError, NotSupportedError (quotas)."""
    shown: dict[str, str] = {}
    for key, value in given.items():
        if key == "o":
            shown.update(_mount_words(value))
        else:
            shown[key] = value
    for key in shown:
        if key.lower() not in _KEYS:
            raise UsageError(
                f"invalid mount option {key} for driver 'local': invalid argument",
                hint="Known: type, device, o, copy, nocopy; what mount(8) takes goes into o=",
            )
    _refuse_quotas(shown)
    return Options(shown=shown, uid=_number(shown, "UID"), gid=_number(shown, "GID"))


def needs_mount(options: Mapping[str, str]) -> bool:
    """Return whether something is mounted at the volume's directory while it is used."""
    rest = [key for key in options if key not in _KEPT]
    return bool(rest) and (rest != ["o"] or bool(_words_of_mount(options["o"])))


def copies_up(options: Mapping[str, str]) -> bool:
    """Return whether the image of the first container fills the volume."""
    return "nocopy" not in options


def request(options: Mapping[str, str]) -> MountRequest:
    """Return how the volume is mounted. Raises StorageError for options that say no mount."""
    kind, device = options.get("type", ""), options.get("device", "")
    words = [word for word in options.get("o", "").split(",") if word and word.partition("=")[0] not in _OWN]
    binds = kind == "bind" or any(word in _BINDS for word in words)
    if not kind and not binds:
        raise StorageError(
            "its options name no type of file system",
            hint="podpy volume create --opt type=tmpfs …; with --opt o=bind, device= is a directory",
        )
    if binds and not device.startswith("/"):
        raise StorageError(f"device={device} is no absolute path")
    flags = 0
    for word in words:
        flags |= _FLAGS.get(word, 0)
    if binds:
        recursive = kind == "rbind" or "rbind" in words
        return MountRequest(source=device, type="", flags=flags, bind=True, recursive=recursive)
    data = ",".join(word for word in words if word not in _FLAGS and word not in _USUAL)
    return MountRequest(source=device or kind, type=kind, flags=flags, data=data)


def _mount_words(text: str) -> dict[str, str]:
    """Return `o` without what isn't for mount(8), and what it says of the volume."""
    kept, found = [], {}
    for word in text.split(","):
        key, equals, value = word.partition("=")
        name = key.lower()
        if name in ("uid", "gid"):
            found[name.upper()] = _checked_id(name, value, given=bool(equals))
        elif name in ("size", "inodes"):
            found[name.upper()] = _checked_size(value) if name == "size" else _checked_count(value)
        elif name == "noquota":
            found["NOQUOTA"] = "true"
            continue
        elif name == "timeout":
            _check_timeout(value, given=bool(equals))
            continue
        kept.append(word)
    return {**({"o": ",".join(kept)} if kept else {}), **found}


def _words_of_mount(text: str) -> list[str]:
    """Return the words that only a mount can mean."""
    return [word for word in text.split(",") if word and word.partition("=")[0].lower() not in ("uid", "gid", "size")]


def _checked_id(name: str, value: str, *, given: bool) -> str:
    if not given:
        raise UsageError(f"{name} option must provide a {name.upper()}: invalid argument")
    if numbers.parse_id(value) is None:
        raise UsageError(
            f'cannot convert {name.upper()} {value} to integer: strconv.Atoi: parsing "{value}": invalid syntax',
            hint="It is a number from 0 to 4294967294",
        )
    return value


def _checked_size(value: str) -> str:
    digits = value.lower().rstrip("b").rstrip("i")
    number = digits[:-1] if digits[-1:] in _SIZE_UNITS else digits
    if not number.replace(".", "", 1).isdecimal() or not number.isascii():
        raise UsageError(f"cannot convert size {value} to integer: invalid size: '{value}'")
    return value


def _checked_count(value: str) -> str:
    if not _is_number(value):
        raise UsageError(
            f'cannot convert inodes {value} to integer: strconv.ParseUint: parsing "{value}": invalid syntax'
        )
    return value


def _check_timeout(value: str, *, given: bool) -> None:
    if not given:
        raise UsageError("timeout option must provide a valid timeout in seconds: invalid argument")
    if not _is_number(value.removeprefix("-")):
        raise UsageError(
            f'cannot convert Timeout {value} to an integer: strconv.Atoi: parsing "{value}": invalid syntax'
        )
    if value.startswith("-"):
        raise UsageError(f"volume timeout cannot be negative (got {value})")


def _refuse_quotas(shown: Mapping[str, str]) -> None:
    limits = [key for key in ("SIZE", "INODES") if shown.get(key, "0") != "0"]
    if not limits:
        return
    if "NOQUOTA" in shown:
        raise UsageError("volume options size and inodes cannot be used without quota")
    if shown.get("type") == "tmpfs":
        if "INODES" in limits:
            raise UsageError("volume option inodes not supported on tmpfs filesystem", hint="A tmpfs takes nr_inodes=")
        return
    raise NotSupportedError(
        "volume options size and inodes not supported. Filesystem does not support Project Quota",
        hint="A tmpfs has a size: --opt type=tmpfs --opt device=tmpfs --opt o=size=64m",
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _number(shown: Mapping[str, str], key: str) -> int | None:
    return int(shown[key]) if key in shown else None
