"""The plan of one start: every step between a container's row and its running process.

private mounts     the mount namespace that conmon and the container will live in
run directory      bundle, sockets, pid files
network            the namespace and pasta, which gets ready while the rest goes on
root filesystem    the container's layer on the image's
conmon             gets ready while the rest goes on, and waits for its start byte
volumes, files     hosts, resolv.conf, hostname; sources of volumes
bundle             config.json: the user is looked up in the mounted root filesystem
go                 when the network is ready: the OCI runtime creates and starts the container
"""

from __future__ import annotations

import os

from podpy import fastjson, linux, pids, rootless
from podpy.libpod.containers.starting.bundle import WriteBundle
from podpy.libpod.containers.starting.self_description import is_told, tell_conmon
from podpy.monitor.exit_command import exit_command
from podpy.monitor.start import MonitorRequest, StartConmon, WaitForStart
from podpy.network.setup import plan as plan_network
from podpy.oci.cgroups import wanted_manager
from podpy.plan import Operation, Plan
from podpy.storage.mounts.root import MakeContainerLayer
from podpy.systemd import notify as sdnotify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.network.setup import NetworkPlan
    from podpy.rootless.cgroups import CgroupView
    from podpy.systemd.scope import Leaving


class MakePrivateMounts(Operation):
    """Unshare the mount namespace in which the container's mounts live and die."""

    def describe(self) -> str:
        """Return what is unshared."""
        return "unshare a mount namespace for the container's mounts"

    def execute(self) -> None:
        """Do it."""
        rootless.private_mounts()


class MakeRunDirectory(Operation):
    """Make the container's directory under the run root, and forget how it ended the last time."""

    def __init__(self, directory: str, exit_record: str) -> None:
        self.directory = directory
        self.exit_record = exit_record

    def describe(self) -> str:
        """Return which directory."""
        return f"make the run directory {self.directory}"

    def execute(self) -> None:
        """Make it."""
        for name in ("", "bundle/notify", "rootfs"):
            os.makedirs(os.path.join(self.directory, name), mode=0o700, exist_ok=True)
        try:
            os.unlink(self.exit_record)
        except FileNotFoundError:
            pass


class FindCgroups(Operation):
    """Look which cgroup manager is possible, and give crun the pure cgroup2 view that it wants on hybrid hosts."""

    def __init__(self, launch: Launch, wanted: str) -> None:
        self._launch = launch
        self._wanted = wanted

    def describe(self) -> str:
        """Return what is looked for."""
        return f"find the cgroup manager ({self._wanted or 'as the host allows'})"

    def execute(self) -> None:
        """Look, and mount if needed."""
        self._launch.cgroups = rootless.cgroup_view(wanted=self._wanted)


class BeginToLeaveSession(Operation):
    """Ask systemd to move this process, from which conmon comes, out of the login session's cgroup.

    A process with a user namespace of its own needs it: systemd moves it into the container's cgroup, and does that for
    a process of another user only within the user manager's own cgroups. Other containers' monitors are moved later.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._leaving: Leaving | None = None

    def describe(self) -> str:
        """Return what is asked for."""
        return "ask systemd to move this process out of the login session's cgroup"

    def execute(self) -> None:
        """Ask, where systemd manages the containers' cgroups."""
        if self._launch.cgroups.manager == "systemd":
            from podpy.systemd.scope import Leaving

            self._leaving = Leaving(self._launch.engine.paths)

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


class Launch:
    """One start of one container. After its plan has run, `pid` and `conmon_pid` are those of the running container."""

    cgroups: CgroupView

    def __init__(
        self,
        container: Held,
        *,
        attach_fd: int = -1,
        waiter_fd: int = -1,
        console_size: tuple[int, int] | None = None,
        run: bool = True,
    ) -> None:
        self.container = container
        self.engine = container.engine
        self.directory = self.engine.run_directory(container.id)
        self.rootfs = os.path.join(self.directory, "rootfs")
        self.network: NetworkPlan = plan_network(container.spec, self)
        self._attach_fd = attach_fd
        self._waiter_fd = waiter_fd
        self.console_size = console_size
        self._run = run
        self._start: WaitForStart | None = None
        self._conmon: StartConmon | None = None

    def plan(self) -> Plan:
        """Return the operations, in order."""
        container, engine = self.container, self.engine
        spec = container.spec
        plan = Plan(
            MakePrivateMounts(),
            MakeRunDirectory(self.directory, os.path.join(engine.exit_directory, container.id)),
            FindCgroups(self, wanted_manager(spec, engine.settings.cgroup_manager or engine.conf.cgroup_manager)),
        )
        leaving = BeginToLeaveSession(self) if spec.userns not in ("", "host") or spec.uid_maps else None
        if leaving is not None:
            plan.add(leaving)
        plan.add(*self.network.operations)
        if spec.rootfs and not spec.rootfs_overlay:
            plan.add(MakeContainerLayer(engine.store, container.id))  # only for its log: the directory is the user's
        plan.add(
            *engine.store.mount_operations(
                container.id,
                container.image,
                self.rootfs,
                read_only=spec.read_only,
                volatile=spec.remove,
                rootfs=spec.rootfs,
                rootfs_overlay=spec.rootfs_overlay,
                uid_maps=[(m.container, m.host, m.size) for m in spec.uid_maps],
                gid_maps=[(m.container, m.host, m.size) for m in spec.gid_maps],
            )
        )
        if leaving is not None:
            plan.add(LeaveSession(leaving))
        self._conmon = StartConmon(self._monitor_request)
        told = (lambda: tell_conmon(self.directory)) if is_told(self.container) else None
        self._start = WaitForStart(self._conmon, forked=told)
        plan.add(self._conmon, WriteBundle(self), *self.network.wait_operations, self._start)
        return plan

    @property
    def pid(self) -> int:
        """The container's first process, as podpy sees it."""
        return self._start.pid if self._start else 0

    @property
    def pid_start(self) -> int:
        """When that process started; 1 if it has ended already (no process starts at the first tick)."""
        return pids.start_time(self.pid) or 1

    @property
    def conmon_pid(self) -> int:
        """The monitor."""
        return self._start.conmon_pid if self._start else 0

    @property
    def ports(self) -> str | None:
        """The ports that were really bound, as the row's JSON; None if the plan has none of its own."""
        bound = self.network.ports
        return None if bound is None else fastjson.dumps([port.as_dict() for port in bound])

    def abandon(self) -> None:
        """End what a failed plan has started, but for a container that runs: then `pid` is its first process."""
        if self._start is not None and self._conmon is not None:
            try:
                self._start.abandon()
            finally:
                self._conmon.abandon()
        self.network.abandon()
        # This process stands in the mount namespace that the container would have had, and must remove the directory.
        try:
            linux.umount2(self.rootfs, linux.MNT_DETACH)
        except OSError:
            pass

    def _monitor_request(self) -> MonitorRequest:
        container, engine = self.container, self.engine
        spec, streams = container.spec, engine.caller.streams
        return MonitorRequest(
            container_id=container.id,
            container_name=container.name,
            run_directory=self.directory,
            exit_directory=engine.exit_directory,
            log_driver=spec.log_driver,
            log_path=container.row.log_path,
            log_options=spec.log_options,
            tty=spec.tty,
            stdin_open=spec.stdin_open,
            timeout=spec.timeout,
            preserve_fds=spec.preserve_fds,
            pidfile=spec.pidfile,
            conmon_pidfile=spec.conmon_pidfile,
            conmon=engine.settings.conmon,
            runtime=engine.oci_runtime,
            cgroups=self.cgroups,
            exit_command=exit_command(engine.paths, engine.settings.arguments, container.id, remove=spec.remove),
            attach_fd=self._attach_fd,
            waiter_fd=self._waiter_fd,
            console_size=self.console_size,
            notify_socket=sdnotify.relayed_socket(spec, engine.caller.environ),
            unlink_on_exit=[self.network.netns_path] if self.network.netns_path else [],
            run=self._run,
            environ=engine.caller.environ,
            streams=(streams.stdin, streams.stdout, streams.stderr),
        )
