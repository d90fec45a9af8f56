"""Parse containers.conf's texts for a container; an error names the key.

`spec.defaults` imports it only if the files set one of these keys: most don't.
"""

from __future__ import annotations

from podpy.errors import ConfigError, UsageError
from podpy.spec.text import life, limits, namespaces, process
from podpy.spec.text.environment import environment
from podpy.spec.text.mounts import parse_mount
from podpy.spec.text.network import check_name_servers, check_searches
from podpy.spec.text.security import check_apparmor, check_seccomp, is_cdi_name, parse_device
from podpy.spec.text.values import parse_pairs, parse_size
from podpy.spec.text.volumes import parse_volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    from podpy.config.containers_conf import ContainersConf
    from podpy.spec.container import ContainerSpec, Mount

    T = TypeVar("T")


def value_of(field: str, key: str, value: Any) -> Any:
    """Return a key's value in the form of the ContainerSpec field that it fills. Raises ConfigError."""
    read = _READERS.get(field)
    return _checked(key, read, value) if read else value


def variables(items: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `env`; NAME alone is the caller's value. Raises ConfigError."""
    return _checked("env", lambda given: environment(given, (), environ), items)


def pairs(key: str, items: Sequence[str]) -> dict[str, str]:
    """Return KEY=VALUE texts as a dictionary. Raises ConfigError."""
    return _checked(key, lambda given: parse_pairs(key, given), items)


def oom_score_adj(value: int) -> int:
    """Return the value. Raises ConfigError for one that the kernel refuses."""
    return _checked("oom_score_adj", limits.oom_score_adj, value)


def seccomp_profile(path: str) -> str:
    """Return the profile's path, or "unconfined". Raises ConfigError if the file doesn't exist."""
    return _checked("seccomp_profile", check_seccomp, path)


def apparmor_profile(name: str) -> str:
    """Return the profile's name; empty for `unconfined`. Raises NotSupportedError where the kernel has no AppArmor."""
    return check_apparmor(name)


def with_lists(spec: ContainerSpec, conf: ContainersConf, *, rootless: bool, directory: str) -> ContainerSpec:
    """Return the spec with containers.conf's items added to its lists. Raises ConfigError, NotSupportedError."""
    plain = [text for text in conf.devices if not is_cdi_name(text)]
    devices = _checked("devices", lambda items: [parse_device(text) for text in items], plain)
    described = [text for text in conf.devices if is_cdi_name(text)]
    ulimits = {limit.name: limit for limit in _checked("default_ulimits", limits.ulimits, conf.default_ulimits)}
    return spec.replace(
        annotations={**pairs("annotations", conf.annotations), **spec.annotations},
        devices=[*devices, *spec.devices],
        cdi_devices=list(dict.fromkeys([*described, *spec.cdi_devices])),
        ulimits=list({**ulimits, **{limit.name: limit for limit in spec.ulimits}}.values()),
        mounts=[*spec.mounts, *_mounts(spec, conf, rootless=rootless, directory=directory)],
    )


def _checked(key: str, read: Callable[[Any], T], value: Any) -> T:
    """Return what `read` makes of a key's value. Raises ConfigError."""
    try:
        return read(value)
    except UsageError as error:
        raise ConfigError(f"{key} in containers.conf: {error.message}", hint=error.hint) from error


def _one_of(known: Sequence[str], value: str) -> str:
    if value not in known:
        raise UsageError(f"invalid value {value!r}", hint=f"One of {', '.join(known)}")
    return value


def _shm_size(value: str) -> int:
    """Return bytes. Podman reads this key by powers of 1000 and the option by powers of 1024."""
    return 65536000 if value == "65536k" else parse_size("shm_size", value)


def _mode_reader(name: str) -> Callable[[str], str]:
    return lambda value: namespaces.check_mode(name, value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "umask": process.check_umask,
    "timezone": process.check_timezone,
    "image_volume": lambda value: _one_of(("anonymous", "bind", "tmpfs", "ignore"), value),
    "shm_size": _shm_size,
    **{name: _mode_reader(name) for name in namespaces.MODES},
    "userns": namespaces.check_userns,
    "cgroups": lambda value: _one_of(("enabled", "disabled", "no-conmon", "split"), value),
    "network": lambda value: "" if value == "private" else value,
    "dns": check_name_servers,
    "dns_search": check_searches,
    "log_driver": life.log_driver,
}


def _mounts(spec: ContainerSpec, conf: ContainersConf, **how: Any) -> list[Mount]:
    """Return the mounts of `volumes` and `mounts` whose targets the caller doesn't use."""
    taken = {mount.target for mount in spec.mounts}
    found = _checked("volumes", lambda items: [parse_volume(text, **how) for text in items], conf.volumes)
    for text in conf.mounts:
        found += _checked("mounts", lambda given: parse_mount(given, **how), text)
    return [mount for mount in found if mount.target not in taken]
