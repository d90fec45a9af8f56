"""The bundle of one start: what `runtime.oci.build` must know, gathered; then config.json, written."""

from __future__ import annotations

import os
import sys

from podpy.oci import cgroups
from podpy.oci.document import build as oci
from podpy.oci.document import devices, mounts, namespaces, seccomp
from podpy.oci.document.context import BundleContext, HostFacts
from podpy.oci.root import accounts, workdir
from podpy.oci.root import inside as rootfs
from podpy.oci.root.users import UserIds, lookup
from podpy.plan import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.launch import Launch
    from podpy.spec.container import ContainerSpec

_CONTAINERENV = "/run/.containerenv"


class WriteBundle(Operation):
    """Write the container's files (hosts, resolv.conf, hostname, .containerenv) and config.json."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch

    def describe(self) -> str:
        """Return where the bundle is."""
        return f"write the bundle {self._launch.directory}/bundle"

    def execute(self) -> None:
        """Gather, build, write. Raises what `runtime.oci.build` and `runtime.users.lookup` raise."""
        launch = self._launch
        spec = launch.container.spec
        rootfs.refuse_links(spec, launch.rootfs)
        user = lookup(launch.rootfs, spec.user, spec.groups)
        workdir.prepare(spec, launch.rootfs, user, launch.container.id)
        added = accounts.prepare(spec, launch.rootfs, user)
        context = _context(launch, spec, user.replace(home=added.home), added.texts)
        config = oci.build(spec, context)
        if namespaces.leaves_the_user_out(spec):
            from podpy.oci.root.exposure import expose

            expose(config, _in_use(launch))
        profile = seccomp.text(spec, oci.held_capabilities(spec, context), launch.engine.paths)
        oci.WriteConfig(os.path.join(launch.directory, "bundle"), oci.to_text(config, profile)).execute()


def _shared_memory(launch: Launch, ipc_namespace: str) -> str:
    from podpy.oci.root import shm

    return shm.borrow(ipc_namespace, os.path.join(launch.directory, "shm"))


def _in_use(launch: Launch) -> list[str]:
    """Return the paths that conmon, the OCI runtime and the exit command need in this mount namespace."""
    engine = launch.engine
    programs = [sys.executable, *sys.path, engine.oci_runtime.path, engine.settings.conmon]
    return [*programs, engine.paths.graphroot, engine.paths.runroot]


def _context(launch: Launch, spec: ContainerSpec, user: UserIds, texts: dict[str, str]) -> BundleContext:
    from podpy.libpod.containers.starting.files import container_files
    from podpy.libpod.containers.starting.joins import namespaces_to_join
    from podpy.libpod.containers.starting.sources import mount_sources
    from podpy.systemd import notify as sdnotify

    container, engine = launch.container, launch.engine
    view = launch.cgroups
    joined = namespaces_to_join(launch, spec)
    is_rootless = engine.paths.rootless
    return BundleContext(
        container_id=container.id,
        rootfs=launch.rootfs,
        host=HostFacts.read(
            rootless=is_rootless, controllers=sorted(view.controllers), environment=dict(engine.caller.environ)
        ),
        user=user,
        hostname=spec.hostname,
        files=container_files(launch, spec, texts),
        sources=mount_sources(launch, spec, user),
        places=mounts.places(spec, launch.rootfs),
        namespaces=joined,
        shm=_shared_memory(launch, joined["ipc"]) if "ipc" in joined else "",
        init=devices.find_init(spec, engine.conf) if spec.init else "",
        devices=devices.resolve(spec, rootless=is_rootless),
        cgroup_manager=view.manager,
        cgroup_path=cgroups.path(spec, view, container.id),
        annotations={},
        console_size=launch.console_size,
        environment=sdnotify.environment(spec, engine.caller.environ),
    )
