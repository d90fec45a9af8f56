"""Checks what a start would refuse, before anything is created: no container is left behind."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import NotSupportedError, UsageError
from podpy.libpod.containers.starting.sources import check_subpath, no_source
from podpy.oci.document import devices, mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.containers_conf import ContainersConf
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec

_CONTROLLED = (
    ("memory", "memory_swap", "memory_reservation"),
    ("cpu_shares", "cpu_quota", "cpu_period", "cpus"),
    ("cpuset_cpus", "cpuset_mems"),
    ("pids_limit",),
)
"""Limits by the controller that enforces them."""


def check_text(spec: ContainerSpec) -> None:
    """Refuse what config.json, which is UTF-8, can't tell the OCI runtime, and a host name that would be several lines
    of /etc/hosts. Raises UsageError.
    """
    for kind, text in (
        ("hostname", spec.hostname),
        ("working directory", spec.workdir),
        *(("place of a mount", mount.target) for mount in spec.mounts),
        *(("place of a device", device.container) for device in spec.devices),
    ):
        if text != fastjson.well_formed(text):
            raise UsageError(f'{kind} "{text}" isn\'t UTF-8: invalid argument')
    if not spec.hostname.isprintable():
        raise UsageError(f'hostname "{spec.hostname}" has a line end or another control character: invalid argument')


def check_sources(spec: ContainerSpec, conf: ContainersConf, *, rootless: bool) -> None:
    """Raise the errors that a start would raise for missing files of the host: mounts, devices, the init program.

    `create` refuses them too, as Podman does. A source that is only visible inside the user's namespaces is left to the
    start. Raises UsageError, NotFoundError.
    """
    for mount in spec.mounts:
        if mount.subpath and mount.type in ("volume", "bind"):
            check_subpath(mount.subpath)
        if mount.type == "bind":
            try:
                os.stat(mount.source)
            except (FileNotFoundError, NotADirectoryError):
                raise no_source(mount.source) from None
            except OSError:
                continue
    mounts.check_copy_up(spec, {})
    devices.resolve(spec, rootless=rootless)
    if spec.init:
        devices.find_init(spec, conf)


def enforceable(engine: Engine, spec: ContainerSpec) -> tuple[ContainerSpec, str]:
    """Return the spec without those limits that a start couldn't enforce here, and why; "" if there are none."""
    from podpy.spec.container import Resources

    reason = ""
    for names in _CONTROLLED:
        only = Resources(**{name: getattr(spec.resources, name) for name in names})
        try:
            check_limits(engine, spec.replace(resources=only))
        except NotSupportedError as error:
            reason = reason or str(error)
            without = {name: getattr(Resources(), name) for name in names}
            spec = spec.replace(resources=spec.resources.replace(**without))
    return spec, reason


def check_limits(engine: Engine, spec: ContainerSpec) -> None:
    """Raise NotSupportedError for a limit that a start of this container couldn't enforce."""
    from podpy.oci.document import resources

    if not resources.needed(spec.resources):
        return
    from podpy.notice import sending_to
    from podpy.oci.cgroups import wanted_manager
    from podpy.rootless import cgroups

    wanted = wanted_manager(spec, engine.settings.cgroup_manager or engine.conf.cgroup_manager)
    if cgroups.cgroup_mode() == "v2":
        with sending_to(lambda _: None):  # the start itself warns
            view = cgroups.cgroup_view(wanted=wanted)
        resources.check(spec.resources, view.manager, view.controllers)
        return
    from podpy.rootless.checks.host_checks import look_at_cgroups

    try:
        manager, _, controllers, _ = look_at_cgroups(engine.paths, wanted)
    except OSError:
        return  # the start itself raises it
    resources.check(spec.resources, manager, controllers)
