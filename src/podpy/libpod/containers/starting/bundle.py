"""config.json of one start: built by `oci.document.build` from the results of earlier operations, then written."""

from __future__ import annotations

import os
import sys

from podpy import files
from podpy.oci import compiled
from podpy.oci.document import build as oci
from podpy.oci.document import devices, mounts, namespaces, seccomp
from podpy.oci.document.context import BundleContext, HostFacts
from podpy.plan import Operation
from podpy.record import Record
from podpy.spec.container import FILTER_ANNOTATION
from podpy.systemd import notify as sdnotify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.starting.cgroups import FindCgroups
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.libpod.containers.starting.files import WriteFiles
    from podpy.libpod.containers.starting.joins import BorrowSharedMemory, FindNamespaces, MountSysfs
    from podpy.libpod.containers.starting.root import LookUpUser
    from podpy.libpod.containers.starting.secrets import WriteSecrets
    from podpy.libpod.containers.starting.sources import Sources
    from podpy.libpod.engine import Engine
    from podpy.oci.cdi import Edits
    from podpy.oci.compiled import CompiledFilter
    from podpy.oci.document.seccomp import Profile
    from podpy.oci.runtime import OciRuntime


_OVERFLOW = 65534  # what an owner is shown as whom a user namespace doesn't know (user_namespaces(7))


class Prepared(Record):
    """The operations whose results go into config.json."""

    user: LookUpUser
    cgroups: FindCgroups
    joined: FindNamespaces
    shared_memory: BorrowSharedMemory | None
    sysfs: MountSysfs | None
    files: WriteFiles
    sources: Sources
    secrets: WriteSecrets | None


USUAL_HOME = "/root"


def home_file(layer: str) -> str:
    """Return the file with the last HOME of a container's user, in the container's directory under the graph root.

    `inspect` shows it after the end. Without the file it was USUAL_HOME, so most starts write none.
    """
    return os.path.join(layer, "home")


class BuildConfig(Operation):
    """Build config.json in memory. Afterwards `config` and `profile` (its seccomp part) are set."""

    def __init__(self, context: StartContext, prepared: Prepared, runtime: OciRuntime) -> None:
        self._context = context
        self._prepared = prepared
        self._runtime = runtime
        self._to_keep: CompiledFilter | None = None
        self.config: dict[str, Any] = {}
        self.profile = ""

    def describe(self) -> str:
        """Return what is built."""
        return "build config.json of the OCI runtime spec"

    def execute(self) -> None:
        """Build. Raises UsageError, NotSupportedError and ConfigError as `oci.document.build` and `seccomp` do."""
        spec = self._context.spec
        context, edits = self._context, None
        if spec.cdi_devices or spec.gpus:
            from podpy.oci import cdi

            edits = cdi.find(spec.cdi_devices, spec.gpus, context.cdi_dirs)
        surroundings = self._surroundings(edits)
        self.config = oci.build(spec, surroundings)
        if edits is not None:
            cdi.apply(self.config, edits)
        if context.hooks_dirs:
            from podpy.oci import hooks
            from podpy.oci.cdi import add_hooks

            add_hooks(self.config, hooks.find(spec, context.hooks_dirs))
        self._add_filter(seccomp.chosen(spec, oci.held_capabilities(spec, surroundings)))

    def _add_filter(self, profile: Profile | None) -> None:
        """Add the seccomp profile, or the filter that was compiled of it at an earlier start."""
        if profile is None:
            return
        cache = self._context.paths.cache
        if compiled.is_possible(self._runtime, self.config):
            kept = compiled.CompiledFilter(cache=cache, key=profile.key(), runtime=self._runtime)
            data = kept.read()
            if data:
                self.config["annotations"][FILTER_ANNOTATION] = data
                return
            self._to_keep = kept
        self.profile = profile.text(cache)

    def keep_filter(self) -> None:
        """Keep what the OCI runtime has compiled, for the next start. Raises nothing."""
        # Flags would be lost: crun takes them from linux.seccomp, which is left out next time.
        if self._to_keep is not None and '"flags"' not in self.profile:
            self._to_keep.keep(self._context.container_id)

    def remember_home(self) -> None:
        """Keep the user's home for `inspect` after the end. Raises OSError."""
        context, home = self._context, self._prepared.user.ids.home
        path = home_file(context.layer)
        if home == USUAL_HOME or context.spec.remove or not os.path.isdir(context.layer):
            files.unlink(path)
        else:
            files.replace(path, home)

    def _surroundings(self, edits: Edits | None) -> BundleContext:
        context, prepared = self._context, self._prepared
        spec, conf, view = context.spec, context.conf, prepared.cgroups.view
        is_rootless = context.paths.rootless
        secret_files = prepared.secrets.paths if prepared.secrets else {}
        secret_variables = prepared.secrets.variables if prepared.secrets else {}
        return BundleContext(
            container_id=context.container_id,
            rootfs=context.rootfs,
            host=HostFacts.read(
                rootless=is_rootless, controllers=sorted(view.controllers), environment=dict(context.environ)
            ),
            user=prepared.user.ids,
            hostname=context.hostname,
            files={**prepared.files.paths, **secret_files},
            artifacts=prepared.sources.artifacts,
            sources=prepared.sources.paths,
            places=mounts.places(spec, context.rootfs),
            namespaces=prepared.joined.paths,
            shm=prepared.shared_memory.path if prepared.shared_memory else "",
            sysfs=prepared.sysfs.target if prepared.sysfs else "",
            init=devices.find_init(spec, conf) if spec.init else "",
            devices=[*devices.resolve(spec, rootless=is_rootless), *(edits.devices if edits else [])],
            cgroup_manager=view.manager,
            cgroup_path=prepared.cgroups.path,
            annotations={},
            console_size=context.console_size,
            environment={**secret_variables, **sdnotify.environment(spec, context.environ)},
        )


def _is_closed_to_root(path: str) -> bool:
    """Return whether a directory on the way to an absolute path is closed to others and of a group without an id."""
    while path not in ("", "/"):
        path = os.path.dirname(path)
        try:
            status = os.stat(path)
        except OSError:
            continue
        if not status.st_mode & 0o001 and _OVERFLOW in (status.st_uid, status.st_gid):
            return True
    return False


class ExposeMounts(Operation):
    """Bind what the container's root must reach below a directory that it may enter, and change config.json's paths."""

    def __init__(self, engine: Engine, built: BuildConfig) -> None:
        self._engine = engine
        self._built = built

    @staticmethod
    def is_needed(context: StartContext) -> bool:
        """Return whether the container's user namespace may be kept from its files.

        Because podpy's own user has no id there; or a directory above them is closed, and belongs to a group that the
        user has none of (a directory with the set-group-id bit has it made so): root's capabilities then don't count
        there (user_namespaces(7)).
        """
        spec = context.spec
        if not spec.uid_maps or namespaces.leaves_the_user_out(spec):
            return bool(spec.uid_maps)
        sources = [mount.source for mount in spec.mounts if mount.type == "bind"]
        return any(map(_is_closed_to_root, [context.directory, context.paths.graphroot, *sources]))

    def describe(self) -> str:
        """Return what is bound."""
        return "bind the root filesystem and the sources of mounts where the container's user namespace can reach them"

    def execute(self) -> None:
        """Bind. Raises NotSupportedError, OSError."""
        from podpy.oci.root.exposure import expose

        expose(self._built.config, self._in_use())

    def _in_use(self) -> list[str]:
        """Return the paths that conmon, the OCI runtime and the exit command need in this mount namespace."""
        engine = self._engine
        programs = [sys.executable, *sys.path, engine.oci_runtime.path, engine.settings.conmon]
        return [*programs, engine.paths.graphroot, engine.paths.runroot]


class WriteConfig(Operation):
    """Write config.json into the bundle, atomically."""

    def __init__(self, bundle: str, built: BuildConfig) -> None:
        self._path = os.path.join(bundle, "config.json")
        self._built = built

    def describe(self) -> str:
        """Return where."""
        return f"write {self._path}"

    def execute(self) -> None:
        """Write it. Raises OSError."""
        files.replace(self._path, oci.to_text(self._built.config, self._built.profile))
        self._built.remember_home()
