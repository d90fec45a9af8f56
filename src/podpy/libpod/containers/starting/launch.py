"""The plan of a start: all steps from a container's row to its running process.

private mounts     the mount namespace that conmon and the container will live in
run directory      bundle, sockets, pid files
network            the namespace and pasta, which initializes in parallel
root filesystem    the container's layer on the image's
conmon             initializes in parallel, then waits for its start byte
volumes, files     hosts, resolv.conf, hostname; sources of volumes
bundle             config.json: the user is looked up in the mounted root filesystem
start              when the network is ready, conmon gets its start byte: the OCI runtime starts the container
"""

from __future__ import annotations

import os
import stat

from podpy import fastjson, files, linux, pids
from podpy.libpod.caller import listening
from podpy.libpod.containers.starting.bundle import BuildConfig, ExposeMounts, Prepared, WriteConfig
from podpy.libpod.containers.starting.cgroups import (
    BeginToLeaveSession,
    FindCgroups,
    LeaveSession,
    wanted_cgroup_manager,
)
from podpy.libpod.containers.starting.context import StartContext
from podpy.libpod.containers.starting.files import WriteFiles
from podpy.libpod.containers.starting.joins import BorrowSharedMemory, FindNamespaces, MountSysfs
from podpy.libpod.containers.starting.root import AddAccounts, LinkMtab, LookUpUser, MakeWorkdir, RefuseLinks
from podpy.libpod.containers.starting.self_description import is_told, tell_conmon
from podpy.libpod.containers.starting.sources import Sources
from podpy.monitor.exit_command import exit_command
from podpy.monitor.start import MonitorRequest, StartConmon, WaitForStart
from podpy.network.setup import plan as plan_network
from podpy.oci.document.mounts import SHARED
from podpy.plan import Operation, Plan
from podpy.process import preserved
from podpy.rootless.mounts import private_mounts
from podpy.storage.mounts.root import MakeContainerLayer
from podpy.systemd import notify as sdnotify
from podpy.systemd.unit import is_own_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine
    from podpy.network.setup import NetworkPlan
    from podpy.rootless.cgroups import CgroupView
    from podpy.spec.container import ContainerSpec


class MakePrivateMounts(Operation):
    """Unshare the mount namespace in which the container's mounts live and die."""

    def describe(self) -> str:
        """Return what is unshared."""
        return "unshare a mount namespace for the container's mounts"

    def execute(self) -> None:
        """Do it."""
        private_mounts()


class MakeRunDirectory(Operation):
    """Make the container's directory under the run root, and remove its last exit record."""

    def __init__(self, directory: str, exit_record: str) -> None:
        self.directory = directory
        self.exit_record = exit_record

    def describe(self) -> str:
        """Return which directory."""
        return f"make the run directory {self.directory}"

    def execute(self) -> None:
        """Make it."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        if os.stat(self.directory).st_mode & stat.S_ISGID:
            # The run root's group, which may be none of the user's: files of that group can't be given to a container.
            os.chown(self.directory, -1, os.getegid())
            os.chmod(self.directory, 0o700)
        for name in ("bundle/notify", "rootfs"):
            os.makedirs(os.path.join(self.directory, name), mode=0o700, exist_ok=True)
        files.unlink(self.exit_record)


class Launch:
    """One start of one container. After its plan has run, `pid` and `conmon_pid` are set."""

    def __init__(
        self,
        container: Held,
        *,
        attach_fd: int = -1,
        waiter_fd: int = -1,
        console_size: tuple[int, int] | None = None,
        run: bool = True,
        restart_delay: int = 0,
    ) -> None:
        self._container = container
        self._restart_delay = restart_delay
        self._context = context_of(container, console_size)
        self._network: NetworkPlan = plan_network(
            self._context, lambda: container.engine.database, lambda: container.engine.network_folder
        )
        wanted = wanted_cgroup_manager(container.engine, container.spec)
        self._cgroups = FindCgroups(container.spec, container.id, wanted, container.engine)
        self._attach_fd = attach_fd
        self._waiter_fd = waiter_fd
        self._run = run
        self._sources: Sources | None = None
        self._built: BuildConfig | None = None
        self._start: WaitForStart | None = None
        self._conmon: StartConmon | None = None

    @property
    def cgroups(self) -> CgroupView:
        """The cgroup view that the start has found."""
        return self._cgroups.view

    def plan(self) -> Plan:
        """Return the operations, in order. Raises UsageError if the source of a mount doesn't exist."""
        container, context = self._container, self._context
        engine, spec = container.engine, container.spec
        plan = Plan(
            MakePrivateMounts(),
            MakeRunDirectory(context.directory, os.path.join(engine.exit_directory, container.id)),
            self._cgroups,
        )
        if spec.in_pod_cgroup and (spec.is_infra or not spec.joins()):
            from podpy.libpod.pods.limits import limiting

            plan.add(*limiting(engine, spec, self._cgroups))
        leaving = None
        if spec.userns not in ("", "host") or spec.uid_maps or is_entered(spec):
            leaving = BeginToLeaveSession(self._cgroups, engine.paths)
            plan.add(leaving)
        plan.add(*self._network.operations, *_root_operations(container, context))
        if leaving is not None:
            plan.add(LeaveSession(leaving))
        self._conmon = StartConmon(self._monitor_request)
        told = (lambda: tell_conmon(context.directory)) if is_told(container) else None
        self._start = WaitForStart(self._conmon, forked=told)
        plan.add(self._conmon, *self._bundle_operations(), *self._network.wait_operations, self._start)
        return plan

    def _bundle_operations(self) -> list[Operation]:
        """Return the operations that prepare files and mounts, while conmon initializes, and write config.json."""
        container, context, engine = self._container, self._context, self._container.engine
        user = LookUpUser(context)
        accounts = AddAccounts(context, user)
        made: list[Operation] = [RefuseLinks(context), user]
        if context.spec.workdir not in ("", "/"):
            made.append(MakeWorkdir(context, user))
        made.append(accounts)
        if LinkMtab.is_needed(context):
            made.append(LinkMtab(context))
        joined = FindNamespaces(context, engine, self._network)
        shared_memory = None
        if joined.is_needed:
            made.append(joined)
            if joined.joins("ipc"):
                shared_memory = BorrowSharedMemory(context, joined)
                made.append(shared_memory)
        sysfs = None
        if MountSysfs.is_needed(context, self._network):
            sysfs = MountSysfs(context, joined)
            made.append(sysfs)
        written = WriteFiles(context, container, self._network, accounts)
        self._sources = sources = Sources(context, engine, user)
        secrets = None
        if context.spec.secrets:
            from podpy.libpod.containers.starting.secrets import WriteSecrets

            secrets = WriteSecrets(context, engine)
        prepared = Prepared(
            user=user,
            cgroups=self._cgroups,
            joined=joined,
            shared_memory=shared_memory,
            sysfs=sysfs,
            files=written,
            sources=sources,
            secrets=secrets,
        )
        self._built = built = BuildConfig(context, prepared, engine.oci_runtime)
        made += [written, *sources.operations, *([secrets] if secrets else []), built]
        if any(mount.type in SHARED for mount in context.spec.mounts):
            from podpy.libpod.containers.starting.nested import MountNested

            made.append(MountNested(context, built))
        if ExposeMounts.is_needed(context):
            made.append(ExposeMounts(engine, built))
        made.append(WriteConfig(os.path.join(context.directory, "bundle"), built))
        if is_entered(context.spec) or context.spec.deadline:
            from podpy.libpod.containers.starting.health import WriteHealthCheck, is_needed

            if is_needed(context.spec):
                made.append(WriteHealthCheck(container, built))
        return made

    @property
    def pid(self) -> int:
        """The pid of the container's first process, in podpy's pid namespace."""
        return self._start.pid if self._start else 0

    @property
    def pid_start(self) -> int:
        """That process's start time in ticks; 1 if it has ended already (no process starts at tick 1)."""
        return pids.start_time(self.pid) or 1

    @property
    def conmon_pid(self) -> int:
        """The monitor's pid."""
        return self._start.conmon_pid if self._start else 0

    @property
    def ports(self) -> str | None:
        """The ports that were bound, as JSON for the row; None if the plan binds none."""
        bound = self._network.ports
        return None if bound is None else fastjson.dumps([port.as_dict() for port in bound])

    def end(self) -> None:
        """Release what only the start itself needed, and keep what the next start can use."""
        self._network.end()
        if self._sources is not None:
            self._sources.release()
        if self._built is not None and self.pid:
            self._built.keep_filter()

    def abandon(self) -> None:
        """End what a failed plan has started, except a running container: then `pid` is its first process."""
        if self._start is not None and self._conmon is not None:
            try:
                self._start.abandon()
            finally:
                self._conmon.abandon()
        self._network.abandon()
        # This process is in the mount namespace made for the container, and must remove the directory there.
        try:
            linux.umount2(self._context.rootfs, linux.MNT_DETACH)
        except OSError:
            pass

    def _monitor_request(self) -> MonitorRequest:
        container, engine = self._container, self._container.engine
        spec, streams = container.spec, engine.caller.streams
        log_options, log_labels = spec.log_options, spec.log_labels
        if spec.log_driver == "journald":
            if "{{" in f"{log_options.get('tag', '')}{log_labels}":
                from podpy.libpod.containers.starting.log_templates import rendered

                log_options, log_labels = rendered(container)
            log_labels = {"IMAGE_NAME": container.row.image_name, **log_labels}
        return MonitorRequest(
            container_id=container.id,
            container_name=container.name,
            run_directory=self._context.directory,
            exit_directory=engine.exit_directory,
            log_driver=spec.log_driver,
            log_path=container.row.log_path,
            log_options=log_options,
            log_labels=log_labels,
            tty=spec.tty,
            stdin_open=spec.stdin_open,
            timeout=spec.timeout,
            preserved=preserved(max(spec.preserve_fds, listening(engine.caller.environ)), spec.preserve_fd),
            pidfile=spec.pidfile,
            conmon_pidfile=spec.conmon_pidfile,
            conmon=engine.settings.conmon,
            runtime=engine.oci_runtime,
            cgroups=self.cgroups,
            exit_command=exit_command(engine.paths, engine.settings.arguments, container.id, remove=spec.remove),
            attach_fd=self._attach_fd,
            waiter_fd=self._waiter_fd,
            hold_fd=self._network.hold_fd,
            console_size=self._context.console_size,
            notify_socket=sdnotify.relayed_socket(spec, engine.caller.environ),
            unlink_on_exit=[self._network.netns_path] if self._network.netns_path else [],
            stop_timeout=spec.stop_timeout if is_own_process(engine.caller.environ) else -1,
            keyring=engine.conf.keyring,
            no_pivot=engine.conf.no_pivot_root,
            run=self._run,
            restart=restart_word(container.spec, container.row.restarts),
            restart_delay=self._restart_delay,
            restart_backoff=spec.restart_backoff,
            environ=_monitors_environment(engine),
            streams=(streams.stdin, streams.stdout, streams.stderr),
        )


def is_entered(spec: ContainerSpec) -> bool:
    """Return whether a check's or a hook's command must be able to join the container's cgroup from the monitor's."""
    return bool(spec.health is not None or spec.post_start or spec.pre_stop)


def restart_word(spec: ContainerSpec, restarts: int) -> str:
    """Return after which ends conmon must wait for a restart: always, on-failure, no.

    `restarts`: how often it was already restarted.
    """
    if spec.restart_policy == "on-failure":
        return "no" if 0 < spec.restart_retries <= restarts else "on-failure"
    return "always" if spec.restart_policy in ("always", "unless-stopped") else "no"


def context_of(container: Held, console_size: tuple[int, int] | None = None) -> StartContext:
    """Return the StartContext of a container."""
    engine, spec = container.engine, container.spec
    directory = engine.run_directory(container.id)
    if spec.is_infra and spec.rootfs and spec.mounts:  # they are the other containers': it has no place for them
        spec = spec.replace(mounts=[])
    return StartContext(
        container_id=container.id,
        name=container.name,
        hostname=container.hostname,
        spec=spec,
        directory=directory,
        layer=engine.directory(container.id),
        rootfs=os.path.join(directory, "rootfs"),
        former_ports=container.row.ports,
        console_size=console_size,
        environ=engine.caller.environ,
        paths=engine.paths,
        conf=engine.conf,
        hooks_dirs=[*(engine.settings.hooks_dirs or engine.conf.hooks_dir)],
        cdi_dirs=[*(engine.settings.cdi_spec_dirs or engine.conf.cdi_spec_dirs)],
    )


def _root_operations(container: Held, context: StartContext) -> list[Operation]:
    engine, spec = container.engine, container.spec
    made: list[Operation] = []
    if (spec.is_infra or spec.is_service) and spec.rootfs:
        from podpy.libpod.pods.root import ensure

        ensure(engine, spec.rootfs)
    if spec.rootfs and not spec.rootfs_overlay:
        made.append(
            MakeContainerLayer(engine.store, container.id)
        )  # only for its log: the root directory is the user's
    made += engine.store.mount_operations(
        container.id,
        container.image,
        context.rootfs,
        read_only=spec.read_only,
        volatile=spec.remove or spec.is_step,
        rootfs=spec.rootfs,
        rootfs_overlay=spec.rootfs_overlay,
        uid_maps=[(m.container, m.host, m.size) for m in spec.uid_maps],
        gid_maps=[(m.container, m.host, m.size) for m in spec.gid_maps],
    )
    return made


def _monitors_environment(engine: Engine) -> Mapping[str, str]:
    """Return the environment of conmon and the OCI runtime: the caller's variables and conmon_env_vars."""
    own = engine.oci_runtime.environ
    added = engine.conf.conmon_env_vars
    if not added:
        return own
    return {**own, **{name: value for name, _, value in (item.partition("=") for item in added)}}
