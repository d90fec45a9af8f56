"""Cgroups at a start: which manager makes the container's cgroup, and how this process leaves the session's cgroup."""

from __future__ import annotations

from podpy import rootless
from podpy.oci import cgroups
from podpy.plan import Operation
from podpy.rootless.cgroups import OWN, CgroupView
from podpy.systemd.unit import is_own_process, keeps_containers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec
    from podpy.systemd.scope import ScopeMove


def wanted_cgroup_manager(engine: Engine, spec: ContainerSpec) -> str:
    """Return the cgroup manager that options or containers.conf name; in a unit of the system's manager its own.

    An empty text: as the host allows.
    """
    asked = engine.settings.cgroup_manager or engine.conf.cgroup_manager
    if not asked and engine.paths.rootless and is_own_process(engine.caller.environ):
        asked = OWN if keeps_containers(engine.paths.uid) else ""
    return cgroups.wanted_manager(spec, asked)


class FindCgroups(Operation):
    """Find a usable cgroup manager, and show crun a pure cgroup2 hierarchy, which it needs on hybrid hosts."""

    def __init__(self, spec: ContainerSpec, container_id: str, wanted: str, engine: Engine) -> None:
        self._spec = spec
        self._id = container_id
        self._engine = engine
        self._wanted = wanted
        self.view = CgroupView(manager="none", mode="")  # set by execute()
        self.path = ""  # cgroupsPath of the OCI runtime spec, set by execute()

    def describe(self) -> str:
        """Return what is looked for."""
        return f"find the cgroup manager ({self._wanted or 'as the host allows'})"

    def execute(self) -> None:
        """Look, mount if needed, and make room on the way to the container's cgroup. Raises UsageError."""
        if self._spec.cgroups == cgroups.SPLIT:
            from podpy.rootless import holder
            from podpy.rootless.cgroups import enter_leaf

            if self._engine.leaf_move is not None:
                self._engine.leaf_move.finish()
            enter_leaf(holder.find(self._engine.paths))
        view = self.view = rootless.cgroup_view(wanted=self._wanted)
        self.path = cgroups.path(self._spec, view, self._id)
        if view.manager == "cgroupfs" and view.mode != "v1":
            from podpy.rootless.cgroup_room import make_room

            make_room(self.path)


class BeginToLeaveSession(Operation):
    """Ask systemd to move this process, the parent of conmon, out of the login session's cgroup.

    A container with its own user namespace needs that: systemd moves another user's process into the container's cgroup
    only from within the user manager's own cgroups. Other containers' monitors are moved later.
    """

    def __init__(self, found: FindCgroups, paths: Paths) -> None:
        self._found = found
        self._paths = paths
        self._leaving: ScopeMove | None = None

    def describe(self) -> str:
        """Return what is asked for."""
        return "ask systemd to move this process out of the login session's cgroup"

    def execute(self) -> None:
        """Ask systemd, if it manages the containers' cgroups."""
        if self._found.view.manager == "systemd":
            from podpy.systemd.scope import ScopeMove

            self._leaving = ScopeMove(self._paths)

    def finish(self) -> None:
        """Wait until it is done."""
        if self._leaving is not None:
            self._leaving.finish()


class LeaveSession(Operation):
    """Wait until systemd has moved this process."""

    def __init__(self, begun: BeginToLeaveSession) -> None:
        self._begun = begun

    def describe(self) -> str:
        """Return what is waited for."""
        return "wait until this process is out of the login session's cgroup"

    def execute(self) -> None:
        """Wait."""
        self._begun.finish()
