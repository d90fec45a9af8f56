"""`build_spec`: the options of `run` and `create`, family by family, into one ContainerSpec."""

from __future__ import annotations

import os

from podpy.cli.specgen import limits
from podpy.cli.specgen.life import life
from podpy.cli.specgen.namespaces import namespaces
from podpy.cli.specgen.network import network
from podpy.errors import NotSupportedError, UsageError
from podpy.notice import warn
from podpy.oci.root.users import KEEP_GROUPS
from podpy.spec.container import ContainerSpec
from podpy.spec.text import volumes
from podpy.spec.text.environment import environment, labels
from podpy.spec.text.mounts import parse_mount
from podpy.spec.text.security import check_capabilities, parse_device, parse_sysctls, security_options
from podpy.spec.text.values import parse_pairs, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.parse import Options
    from podpy.config.containers_conf import ContainersConf
    from podpy.spec.container import Mount

_SECCOMP_POLICIES = ("default", "image")
_SYSTEMD = ("true", "false", "always")
_ZONES = "/usr/share/zoneinfo"


def build_spec(options: Options, conf: ContainersConf) -> ContainerSpec:
    """Return what the command line asks for; the image's configuration isn't in it yet (`runtime.merge`).

    `options` has one attribute per option of `run`. Raises UsageError for what makes no sense, NotSupportedError for
    what this version can't do.
    """
    rootless = os.geteuid() != 0
    _refuse(options)
    limits.refuse_unsupported(options)
    fields = {
        **_process(options, conf),
        **_identity(options, conf),
        **_files(options, conf, rootless=rootless),
        **_rights(options, conf),
        **namespaces(options, conf),
        **network(options, conf),
        **life(options, conf),
        "resources": limits.resources(options, conf, rootless=rootless),
        "ulimits": limits.ulimits(options.ulimit, conf.default_ulimits),
        "oom_score_adj": _oom_score_adj(options, conf),
        "cgroups": options.cgroups if options.given("cgroups") else conf.cgroups,
        "cgroup_parent": options.cgroup_parent or "",
    }
    spec = ContainerSpec(**fields)
    _check_together(spec, options)
    return spec


def _process(options: Options, conf: ContainersConf) -> dict[str, Any]:
    workdir = options.workdir or ""
    if workdir and not workdir.startswith("/"):
        raise UsageError(f"the working directory '{workdir}' is invalid, it needs to be an absolute path")
    if options.systemd.lower() not in _SYSTEMD:
        raise UsageError(f"invalid value {options.systemd!r} for --systemd", hint="One of true, false, always")
    return {
        "command": list(options.command),
        "entrypoint": _entrypoint(options),
        "env": environment(options.env, options.env_file, env_host=options.env_host or conf.env_host),
        "env_merge": parse_pairs("--env-merge", options.env_merge),
        "unset_env": list(options.unsetenv),
        "unset_env_all": bool(options.unsetenv_all),
        "http_proxy": options.http_proxy if options.given("http_proxy") else conf.http_proxy,
        "workdir": workdir,
        "user": options.user or "",
        "groups": _groups(options.group_add),
        "umask": _umask(options.umask if options.given("umask") else conf.umask),
        "timezone": _timezone(options.tz or conf.tz),
        "tty": bool(options.tty),
        "stdin_open": bool(options.interactive),
        "init": bool(options.init or conf.init),
        "init_path": options.init_path or "",
        "passwd": bool(options.passwd),
        "preserve_fds": getattr(options, "preserve_fds", 0) or 0,
        "systemd": options.systemd.lower(),
    }


def _identity(options: Options, conf: ContainersConf) -> dict[str, Any]:
    image = options.image
    rootfs, overlay = "", False
    if options.rootfs:
        rootfs, _, flags = image.partition(":")
        rootfs, overlay, image = os.path.abspath(rootfs), flags == "O", ""
        if flags not in ("", "O"):
            raise UsageError(f"--rootfs: unknown option {flags!r}", hint="Only :O is known: changes go to an overlay")
    hostname = options.hostname or (options.name if conf.container_name_as_hostname else "") or ""
    if not hostname and options.network == ["host"]:
        hostname = os.uname().nodename
    return {
        "image": image,
        "rootfs": rootfs,
        "rootfs_overlay": overlay,
        "name": options.name or "",
        "hostname": hostname,
        "labels": labels(options.label, options.label_file),
        "annotations": parse_pairs("--annotation", [*conf.annotations, *options.annotation]),
        "cidfile": _absolute(options.cidfile),
        "pidfile": _absolute(options.pidfile),
        "conmon_pidfile": _absolute(options.conmon_pidfile),
        "create_command": ["podpy", *options.argv],
    }


def _files(options: Options, conf: ContainersConf, *, rootless: bool) -> dict[str, Any]:
    asked = [volumes.parse_volume(text, rootless=rootless) for text in options.volume]
    asked += [mount for text in options.mount for mount in parse_mount(text, rootless=rootless)]
    asked += [volumes.parse_tmpfs(text, rootless=rootless) for text in options.tmpfs]
    mounts = _unique(asked)
    # containers.conf's give way to the command line's (containers.conf(5), volumes and mounts).
    defaults = [volumes.parse_volume(text, rootless=rootless) for text in conf.volumes]
    defaults += [mount for text in conf.mounts for mount in parse_mount(text, rootless=rootless)]
    taken = {mount.target for mount in mounts}
    mode = options.image_volume if options.given("image_volume") else conf.image_volume_mode
    return {
        "mounts": [*mounts, *(mount for mount in defaults if mount.target not in taken)],
        "volumes_from": list(options.volumes_from),
        "image_volume": "" if mode in ("bind", "anonymous") else mode,
        "read_only": bool(options.read_only or conf.read_only),
        "read_only_tmpfs": bool(options.read_only_tmpfs),
        "shm_size": _shm_size(options, conf),
    }


def _check_seccomp_policy(policy: str) -> None:
    if policy not in _SECCOMP_POLICIES:
        known = " ".join(f'"{name}"' for name in _SECCOMP_POLICIES)
        raise UsageError(f'invalid seccomp policy "{policy}": valid policies are [{known}]')
    if policy == "image":
        warn("--seccomp-policy=image has no effect: what an image says of its own filter isn't used, the default stays")


def _rights(options: Options, conf: ContainersConf) -> dict[str, Any]:
    _check_seccomp_policy(options.seccomp_policy)
    check_capabilities(options.cap_add, options.cap_drop)
    return {
        "privileged": bool(options.privileged or conf.privileged),
        "cap_add": list(options.cap_add),
        "cap_drop": list(options.cap_drop),
        "devices": [parse_device(text) for text in [*conf.devices, *options.device]],
        "sysctls": parse_sysctls(options.sysctl),
        **security_options(options.security_opt),
    }


def _refuse(options: Options) -> None:
    """Raise NotSupportedError for options that are declared and not made yet."""
    if getattr(options, "preserve_fd", None):
        raise NotSupportedError("--preserve-fd comes with a later version of podpy: use --preserve-fds N")
    if options.hosts_file not in ("", "image", "none"):
        raise NotSupportedError("--hosts-file FILE comes with a later version of podpy: use --add-host")


def _check_together(spec: ContainerSpec, options: Options) -> None:
    """Refuse options that make no sense together, with Podman's texts."""
    if options.replace and not spec.name:
        raise UsageError("cannot replace container without --name being set")
    if spec.hostname and spec.uts == "host" and options.hostname:
        raise UsageError("cannot set hostname when running in the host UTS namespace: invalid configuration")
    if spec.read_only_tmpfs and options.given("read_only_tmpfs") and not spec.read_only:
        return
    if spec.uts == "host" and spec.hostname and not options.hostname:
        raise UsageError("cannot set hostname when running in the host UTS namespace: invalid configuration")


def _entrypoint(options: Options) -> list[str] | None:
    """Return the entrypoint: a JSON list, or one word as it stands; None if the option wasn't given."""
    if not options.given("entrypoint"):
        return None
    text = options.entrypoint
    if text.startswith("["):
        from podpy import fastjson

        try:
            words = fastjson.loads(text)
        except ValueError:
            return [text]
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
    return [text]


def _groups(groups: list[str]) -> list[str]:
    if KEEP_GROUPS in groups and len(groups) > 1:
        raise UsageError("the '--group-add keep-groups' option is not allowed with any other --group-add options")
    return list(groups)


def _umask(text: str) -> str:
    if not 1 <= len(text) <= 4 or not frozenset("01234567").issuperset(text):
        raise UsageError(f"invalid umask {text}: umask must match ^[0-7]{{1,4}}$", hint="Such as 0022")
    return text


def _timezone(text: str) -> str:
    if not text or text == "local":
        return text
    if ".." in text or text.startswith("/") or not os.path.isfile(os.path.join(_ZONES, text)):
        raise UsageError(f"finding timezone {text}: unknown time zone", hint=f"The names are the files of {_ZONES}")
    return text


def _shm_size(options: Options, conf: ContainersConf) -> int | None:
    if options.shm_size:
        return parse_size("--shm-size", options.shm_size)
    return None if conf.shm_size == "65536k" else parse_size("shm_size of containers.conf", conf.shm_size)


def _oom_score_adj(options: Options, conf: ContainersConf) -> int | None:
    value = options.oom_score_adj if options.given("oom_score_adj") else (conf.oom_score_adj or None)
    if value is not None and not -1000 <= value <= 1000:
        raise UsageError(f"--oom-score-adj {value}: it goes from -1000 to 1000")
    return value


def _unique(mounts: list[Mount]) -> list[Mount]:
    """Return the mounts without exact repetitions. Raises UsageError for two at one place."""
    result: dict[str, Mount] = {}
    for mount in mounts:
        other = result.setdefault(mount.target, mount)
        if other != mount:
            raise UsageError(f"{mount.target}: duplicate mount destination", hint="Give each place one mount")
    return list(result.values())


def _absolute(path: str) -> str:
    return os.path.abspath(path) if path else ""
