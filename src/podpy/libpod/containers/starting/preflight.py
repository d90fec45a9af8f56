"""Checks what a start would refuse, before anything is created: no container is left behind."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import UsageError
from podpy.libpod.containers.starting.sources import check_subpath, no_source
from podpy.oci.document import devices, mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from podpy.config.containers_conf import ContainersConf
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec


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


def unenforceable(engine: Engine, spec: ContainerSpec) -> str:
    """Return why a start of this container couldn't enforce some of its limits here; "" if it could."""
    from podpy.oci.document import resources

    view = _cgroups(engine, spec) if resources.needed(spec.resources) else None
    if view is None:
        return ""
    _, error = resources.enforceable(spec.resources, *view)
    return str(error or "")


def check_limits(engine: Engine, spec: ContainerSpec) -> None:
    """Raise NotSupportedError for a limit that a start of this container couldn't enforce."""
    from podpy.oci.document import resources

    if not resources.needed(spec.resources) or spec.limits_if_possible:
        return
    view = _cgroups(engine, spec)
    if view is not None:
        resources.check(spec.resources, *view)


def _cgroups(engine: Engine, spec: ContainerSpec) -> tuple[str, Collection[str]] | None:
    """Return which cgroup manager and controllers a start would have; None if only the start itself can say it."""
    from podpy.libpod.containers.starting.cgroups import wanted_cgroup_manager
    from podpy.notice import sending_to
    from podpy.oci.cgroups import SPLIT
    from podpy.rootless import cgroups

    if spec.cgroups == SPLIT:  # the unit passes controllers on once the start has moved this process into a leaf
        return None
    wanted = wanted_cgroup_manager(engine, spec)
    if cgroups.cgroup_mode() == "v2":
        with sending_to(lambda _: None):  # the start itself warns
            view = cgroups.cgroup_view(wanted=wanted)
        return view.manager, view.controllers
    from podpy.rootless.checks.host_checks import look_at_cgroups

    try:
        manager, _, controllers, _ = look_at_cgroups(engine.paths, wanted)
    except OSError:
        return None  # the start itself raises it
    return manager, controllers
