"""ContainerSpec + BundleContext → config.json of the OCI runtime spec (github.com/opencontainers/runtime-spec)."""

from __future__ import annotations

from podpy import fastjson
from podpy.notice import warn
from podpy.oci.document import devices, env, mounts, namespaces, paths, resources, sysctls, ulimits
from podpy.rootless.cgroups import RESTART_UNIT
from podpy.spec import capabilities
from podpy.spec.container import KEEP_GROUPS, OCI_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.oci.document.context import BundleContext
    from podpy.spec.container import ContainerSpec


def build(spec: ContainerSpec, context: BundleContext) -> dict[str, Any]:
    """Return config.json as a dictionary, without the seccomp profile (see `to_text`). Pure.

    Raises UsageError for options that exclude each other, NotSupportedError for what this host can't enforce.
    """
    systemd = spec.is_for_systemd
    return {
        "ociVersion": OCI_VERSION,
        "process": process(spec, context),
        "root": {"path": context.rootfs, **({"readonly": True} if spec.read_only else {})},
        **_hostname(spec, context),
        "mounts": mounts.build(spec, context, systemd=systemd),
        "annotations": _annotations(spec, context),
        "linux": _linux(spec, context),
    }


def to_text(config: dict[str, Any], seccomp: str) -> str:
    """Return the JSON text of a configuration with the text of a seccomp profile spliced in ("" for none)."""
    text = fastjson.dumps(config)
    if not seccomp:
        return text
    # `linux` is last in build()'s dictionary and never empty, so the text ends in its and the whole's closing brace.
    return f'{text[:-2]},"seccomp":{seccomp}}}}}'


def held_capabilities(spec: ContainerSpec, context: BundleContext) -> list[str]:
    """Return the container's bounding set; the seccomp profile's exceptions depend on it, too."""
    if spec.privileged:
        return sorted(context.host.capabilities)
    return capabilities.merge(spec.capabilities, spec.cap_add, spec.cap_drop, context.host.capabilities)


def process(spec: ContainerSpec, context: BundleContext) -> dict[str, Any]:
    """Return `process`: the command, its user, its rights."""
    result: dict[str, Any] = {
        "user": _user(spec, context),
        "args": [fastjson.well_formed(word) for word in _arguments(spec)],
        "env": [fastjson.well_formed(f"{name}={value}") for name, value in _environment(spec, context).items()],
        "cwd": spec.workdir or "/",
        "capabilities": _capabilities(spec, context),
        "rlimits": ulimits.build(spec.ulimits, context.host),
    }
    if spec.tty:
        result["terminal"] = True
        if context.console_size is not None:
            result["consoleSize"] = {"height": context.console_size[0], "width": context.console_size[1]}
    if spec.no_new_privileges:
        result["noNewPrivileges"] = True
    if spec.apparmor:
        result["apparmorProfile"] = spec.apparmor
    if spec.oom_score_adj is not None:
        result["oomScoreAdj"] = _oom_score_adj(spec.oom_score_adj, context)
    return result


def _oom_score_adj(wanted: int, context: BundleContext) -> int:
    """Return the nearest possible value: lowering it needs CAP_SYS_RESOURCE in the initial user namespace."""
    own = context.host.oom_score_adj
    if not context.host.rootless or wanted >= own:
        return wanted
    warn(f"Requested oom_score_adj={wanted} is lower than the current one, changing to {own}")
    return own


def _environment(spec: ContainerSpec, context: BundleContext) -> dict[str, str]:
    result = env.variables(spec, context)
    if spec.is_for_systemd:
        result.setdefault("container_uuid", context.container_id[:32])
    return result


def _arguments(spec: ContainerSpec) -> list[str]:
    command = list(spec.command) or [""]
    return [mounts.INIT_TARGET, "--", *command] if spec.init else command


def _user(spec: ContainerSpec, context: BundleContext) -> dict[str, Any]:
    user = context.user
    result: dict[str, Any] = {"uid": user.uid, "gid": user.gid, "umask": int(spec.umask, 8)}
    extra = [gid for gid in user.groups if gid != user.gid]
    groups = [user.gid, *extra] if spec.user else extra
    mapped = [gid for gid in groups if _is_mapped(gid, spec, context)]
    if mapped and KEEP_GROUPS not in spec.groups:
        result["additionalGids"] = mapped
    return result


def _is_mapped(gid: int, spec: ContainerSpec, context: BundleContext) -> bool:
    if spec.gid_maps:
        return any(line.container <= gid < line.container + line.size for line in spec.gid_maps)
    return not context.host.rootless or gid < context.host.gids


def _capabilities(spec: ContainerSpec, context: BundleContext) -> dict[str, list[str]]:
    bounding = held_capabilities(spec, context)
    if spec.privileged or context.user.uid == 0:
        return {"bounding": bounding, "effective": bounding, "permitted": bounding, "inheritable": [], "ambient": []}
    # A non-root user holds only the --cap-add ones, as ambient capabilities, so that execve(2) keeps them.
    asked = capabilities.merge([], spec.cap_add, [], context.host.capabilities)
    return {"bounding": bounding, "effective": asked, "permitted": asked, "inheritable": asked, "ambient": asked}


def _hostname(spec: ContainerSpec, context: BundleContext) -> dict[str, str]:
    if spec.uts == "host" or "uts" in context.namespaces:
        return {}
    return {"hostname": env.hostname(spec, context)}


def _linux(spec: ContainerSpec, context: BundleContext) -> dict[str, Any]:
    result: dict[str, Any] = {
        "namespaces": namespaces.entries(spec, context),
        **namespaces.id_mappings(spec),
        "maskedPaths": paths.masked(spec, context, bound_sysfs=mounts.sysfs_is_bound(spec, context)),
        "readonlyPaths": paths.read_only(spec),
        "sysctl": sysctls.build(spec),
        "resources": resources.build(spec, context),
    }
    if not context.host.rootless and (context.devices or context.cgroup_manager != "none"):
        result["devices"] = devices.entries(context.devices)
        if _needs_device_rules(spec, context):
            rules = devices.rules(context.devices, privileged=spec.privileged)
            result["resources"]["devices"] = [*rules, *result["resources"].get("devices", [])]
    if spec.personality:
        result["personality"] = {"domain": spec.personality}
    if context.cgroup_path:
        result["cgroupsPath"] = context.cgroup_path
    propagation = _root_propagation(spec)
    if propagation:
        result["rootfsPropagation"] = propagation
    return result


def _needs_device_rules(spec: ContainerSpec, context: BundleContext) -> bool:
    """Return whether the cgroup must restrict the devices.

    crun raises RLIMIT_MEMLOCK for the rules' BPF program, which fails for a root without CAP_SYS_RESOURCE (for example
    root in an outer container). There, a container that can't make device nodes has only those that it was given.
    """
    return "CAP_SYS_RESOURCE" in context.host.capabilities or "CAP_MKNOD" in held_capabilities(spec, context)


def _root_propagation(spec: ContainerSpec) -> str:
    """Return the root's propagation that a shared or slave mount in it needs."""
    binds = [mount for mount in spec.mounts if mount.type not in ("tmpfs", "ramfs")]
    options = {option.removeprefix("r") for mount in binds for option in mount.options}
    return "shared" if "shared" in options else "slave" if "slave" in options else ""


def _annotations(spec: ContainerSpec, context: BundleContext) -> dict[str, str]:
    result = {"io.container.manager": "libpod", "org.opencontainers.image.stopSignal": str(spec.stop_signal)}
    if context.cgroup_manager == "systemd":
        result["org.systemd.property.KillSignal"] = str(spec.stop_signal)
        result["org.systemd.property.TimeoutStopUSec"] = f"uint64 {spec.stop_timeout * 1000000}"
        if spec.restart_policy in ("always", "unless-stopped"):
            result["org.systemd.property.Before"] = f"['{RESTART_UNIT}']"  # its ExecStop= comes first
    if KEEP_GROUPS in spec.groups:
        # crun(1): without it crun calls setgroups, which would drop the caller's groups for good.
        result["run.oci.keep_original_groups"] = "1"
    given = {fastjson.well_formed(key): fastjson.well_formed(value) for key, value in spec.annotations.items()}
    return {**result, **context.annotations, **given}
