"""`build_spec`: the options of `run` and `create` → one ContainerSpec."""

from __future__ import annotations

import os
import sys

from podpy.cli.specgen.life import life
from podpy.cli.specgen.limits import resources
from podpy.cli.specgen.namespaces import namespaces
from podpy.cli.specgen.network import network
from podpy.errors import NotSupportedError, UsageError
from podpy.libpod.runtime import working_directory
from podpy.spec.container import AS_CONFIGURED, KEEP_GROUPS, ContainerSpec
from podpy.spec.text import limits, process, volumes
from podpy.spec.text.environment import environment, labels
from podpy.spec.text.mounts import parse_mount
from podpy.spec.text.security import check_capabilities, is_cdi_name, parse_device, parse_sysctls, security_options
from podpy.spec.text.values import parse_pairs, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.spec.container import Mount, SecretUse
    from podpy.spec.health import Health

_SECCOMP_POLICIES = ("default", "image")


def build_spec(options: Options) -> ContainerSpec:
    """Return what the command line asks for. Fields without an option are AS_CONFIGURED, or empty: the image decides.

    `options` has one attribute per option of `run`. Raises UsageError for wrong values, NotSupportedError for what
    this version can't do.
    """
    rootless = os.geteuid() != 0
    fields = {
        **_process(options),
        **_identity(options),
        **_files(options, rootless=rootless),
        **_rights(options),
        **namespaces(options),
        **network(options),
        **life(options),
        "resources": resources(options, rootless=rootless),
        "ulimits": limits.ulimits(options.ulimit),
        "oom_score_adj": limits.oom_score_adj(options.oom_score_adj) if options.given("oom_score_adj") else None,
        "cgroups": _given(options, "cgroups"),
        "cgroup_parent": options.cgroup_parent or "",
        "health": _health(options),
    }
    if options.replace and not fields["name"]:
        raise UsageError("cannot replace container without --name being set")
    return ContainerSpec(**fields)


def _health(options: Options) -> Health | None:
    if not options.given("no_healthcheck") and not options.given_of("health_"):
        return None
    from podpy.cli.specgen.health import health

    return health(options)


def _given(options: Options, name: str) -> Any:
    """Return an option's value, or AS_CONFIGURED if it wasn't given (`--read-only=false` was given)."""
    return getattr(options, name) if options.given(name) else AS_CONFIGURED


def _process(options: Options) -> dict[str, Any]:
    return {
        "command": list(options.command),
        "entrypoint": process.parse_entrypoint(options.entrypoint) if options.given("entrypoint") else None,
        "env": environment(options.env, options.env_file, os.environ),
        "env_host": _given(options, "env_host"),
        "env_merge": parse_pairs("--env-merge", options.env_merge),
        "unset_env": list(options.unsetenv),
        "unset_env_all": bool(options.unsetenv_all),
        "http_proxy": _given(options, "http_proxy"),
        "workdir": process.check_workdir(options.workdir or ""),
        "user": options.user or "",
        "groups": _groups(options.group_add),
        "umask": process.check_umask(options.umask) if options.given("umask") else AS_CONFIGURED,
        "timezone": process.check_timezone(options.tz) if options.given("tz") else AS_CONFIGURED,
        "tty": bool(options.tty),
        "stdin_open": bool(options.interactive),
        "init": _given(options, "init"),
        "init_path": options.init_path or AS_CONFIGURED,
        "passwd": bool(options.passwd),
        "passwd_entry": options.passwd_entry or "",
        "group_entry": options.group_entry or "",
        "host_users": process.host_users(options.hostuser) if options.hostuser else [],
        "personality": options.personality or "",
        "preserve_fds": getattr(options, "preserve_fds", 0) or 0,
        "preserve_fd": getattr(options, "preserve_fd", None) or [],
        "systemd": process.check_systemd(options.systemd),
    }


def _identity(options: Options) -> dict[str, Any]:
    image = options.image
    rootfs, overlay = "", False
    if options.rootfs:
        rootfs, _, flags = image.partition(":")
        rootfs, overlay, image = os.path.abspath(rootfs), flags == "O", ""
        if flags not in ("", "O"):
            raise UsageError(f"--rootfs: unknown option {flags!r}", hint="Only :O is known: changes go to an overlay")
    return {
        "image": image,
        "rootfs": rootfs,
        "rootfs_overlay": overlay,
        "name": options.name or "",
        "hostname": options.hostname or "",
        "labels": labels(options.label, options.label_file),
        "annotations": parse_pairs("--annotation", options.annotation),
        "cidfile": _absolute(options.cidfile),
        "pidfile": _absolute(options.pidfile),
        "conmon_pidfile": _absolute(options.conmon_pidfile),
        "requires": list(options.requires),
        "pod": options.pod or _id_in(options.pod_id_file),
        "init_container": _init_container(options),
        "create_command": [str(sys._xoptions.get("podpy_called") or "podpy"), *options.argv],
    }


def _init_container(options: Options) -> str:
    """Return --init-ctr. Raises UsageError, in Podman's words, without a pod."""
    kind: str = getattr(options, "init_ctr", "") or ""
    if kind and not options.pod and not options.pod_id_file:
        raise UsageError("must specify pod value with init-ctr", hint="--pod NAME")
    return kind


def _id_in(path: str) -> str:
    """Return the pod's id that a file has; "" for no file. Raises UsageError."""
    if not path:
        return ""
    try:
        with open(path, encoding="ascii") as file:
            return file.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"reading pod ID file: {path}: {getattr(error, 'strerror', error)}") from None


def _files(options: Options, *, rootless: bool) -> dict[str, Any]:
    here = working_directory() if options.volume or options.mount else ""
    asked = [volumes.parse_volume(text, rootless=rootless, directory=here) for text in options.volume]
    asked += [mount for text in options.mount for mount in parse_mount(text, rootless=rootless, directory=here)]
    asked += [volumes.parse_tmpfs(text, rootless=rootless) for text in options.tmpfs]
    return {
        "mounts": _unique(asked),
        "volumes_from": list(options.volumes_from),
        "image_volume": _given(options, "image_volume"),
        "read_only": _given(options, "read_only"),
        "read_only_tmpfs": bool(options.read_only_tmpfs),
        "shm_size": parse_size("--shm-size", options.shm_size) if options.shm_size else AS_CONFIGURED,
        "shm_size_systemd": parse_size("--shm-size-systemd", options.shm_size_systemd or "0"),
        "chroot_dirs": process.check_chroot_dirs(options.chrootdirs) if options.chrootdirs else [],
        "secrets": _secrets(options.secret) if options.secret else [],
    }


def _secrets(texts: list[str]) -> list[SecretUse]:
    from podpy.spec.text.secrets import parse_secret

    return [parse_secret(text) for text in texts]


def _check_seccomp_policy(policy: str) -> None:
    if policy not in _SECCOMP_POLICIES:
        known = " ".join(f'"{name}"' for name in _SECCOMP_POLICIES)
        raise UsageError(f'invalid seccomp policy "{policy}": valid policies are [{known}]')
    if policy == "image":
        raise NotSupportedError(
            "--seccomp-policy=image: an image doesn't choose the filter that it is confined by",
            hint="Name a profile that you have read: --security-opt seccomp=FILE",
        )


def _rights(options: Options) -> dict[str, Any]:
    _check_seccomp_policy(options.seccomp_policy)
    check_capabilities(options.cap_add, options.cap_drop)
    return {
        "privileged": _given(options, "privileged"),
        "cap_add": list(options.cap_add),
        "cap_drop": list(options.cap_drop),
        "devices": [parse_device(text) for text in options.device if not is_cdi_name(text)],
        "cdi_devices": [text for text in options.device if is_cdi_name(text)],
        "gpus": list(options.gpus),
        "sysctls": parse_sysctls(options.sysctl),
        **security_options(options.security_opt),
    }


def _groups(groups: list[str]) -> list[str]:
    if KEEP_GROUPS in groups and len(groups) > 1:
        raise UsageError("the '--group-add keep-groups' option is not allowed with any other --group-add options")
    return list(groups)


def _unique(mounts: list[Mount]) -> list[Mount]:
    """Return the mounts without exact repetitions. Raises UsageError for two different ones with the same target."""
    result: dict[str, Mount] = {}
    for mount in mounts:
        other = result.setdefault(mount.target, mount)
        if other != mount:
            raise UsageError(f"{mount.target}: duplicate mount destination", hint="Give each place one mount")
    return list(result.values())


def _absolute(path: str) -> str:
    return os.path.abspath(path) if path else ""
