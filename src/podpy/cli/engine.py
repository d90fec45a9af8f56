"""The global options → a Runtime."""

from __future__ import annotations

import os

from podpy.cli.show.notice import print_note, print_warning
from podpy.libpod.access import Here
from podpy.libpod.caller import Caller, Streams, listening, without_sockets
from podpy.libpod.runtime import Runtime, find_directories, working_directory
from podpy.libpod.settings import Settings
from podpy.notice import send_notes_to, send_warnings_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.cli.parser.options import Options
    from podpy.config.paths import Paths
    from podpy.libpod.access import Access


_RARE = (
    "module", "hooks_dir", "storage_opt", "cdi_spec_dir",
    "pull_option", "max_workers",
)  # fmt: skip


def open_runtime(options: Options, access: Access | None = None) -> Runtime:
    """Return the Runtime that the global options describe. `access`: where privileged work is done; by default here.

    Raises RootlessError, ConfigError.
    """
    said = options.globals
    trace = None
    if getattr(options, "trace", False):
        from podpy.plan import Trace

        trace = Trace()
        trace.mark("interpreter, imports and parsing")
    send_warnings_to(print_warning)
    send_notes_to(print_note)
    if said.config:
        os.environ["DOCKER_CONFIG"] = said.config  # as Podman: also for credential helpers
    if said.registries_conf:
        os.environ["CONTAINERS_REGISTRIES_CONF"] = said.registries_conf
    if said.tls_details:
        os.environ["PODPY_TLS_DETAILS"] = os.path.abspath(said.tls_details)
    paths = directories(options)
    found = _modules(said, paths)
    settings = Settings(
        runtime=said.runtime,
        runtime_flags=tuple(said.runtime_flag),
        conmon=said.conmon,
        cgroup_manager=said.cgroup_manager,
        storage_driver=said.storage_driver,
        network_cmd_path=said.network_cmd_path,
        network_config_dir=os.path.abspath(said.network_config_dir) if said.network_config_dir else "",
        modules=found,
        default_mounts_file=said.default_mounts_file,
        events_backend=said.events_backend,
        hooks_dirs=tuple(map(os.path.abspath, said.hooks_dir)),
        cdi_spec_dirs=tuple(map(os.path.abspath, said.cdi_spec_dir)),
        transient_store=said.transient_store,
        volume_path=os.path.abspath(said.volumepath) if said.volumepath else "",
        arguments=_repeated(options, found),
    )
    caller = Caller(_environment(), working_directory(), Streams(0, 1, 2))
    return Runtime(paths, caller=caller, settings=settings, access=access or Here(trace), trace=trace)


def directories(options: Options) -> Paths:
    """Return where podpy's files are, as the global options say. Raises RootlessError, ConfigError."""
    said = options.globals
    return find_directories(said.root, said.runroot or said.tmpdir)


def _environment() -> Mapping[str, str]:
    """Return the caller's environment, without LISTEN_FDS if the sockets themselves weren't passed to this process."""
    if "LISTEN_FDS" not in os.environ:
        return os.environ
    from podpy.cli.streams import is_handed_over

    sockets = range(3, 3 + listening(os.environ))
    return os.environ if all(map(is_handed_over, sockets)) else without_sockets(os.environ)


def _modules(said: Options, paths: Paths) -> tuple[str, ...]:
    """Return the files of --module, after checking the other rarely used global options."""
    if not any(getattr(said, name) for name in _RARE):
        return ()
    from podpy.cli.global_options import check, modules

    check(said)
    return modules(said.module, paths.config_dirs)


def _repeated(options: Options, modules: tuple[str, ...]) -> tuple[str, ...]:
    """Return the global options that conmon's exit command needs: it may start the container again.

    The exit command gets the directories anyway. `modules` are paths of files.
    """
    said = options.globals
    names = ("runtime", "conmon", "cgroup_manager", "storage_driver", "network_cmd_path", "events_backend")
    values = ((name, getattr(said, name)) for name in names)
    single = [f"--{name.replace('_', '-')}={value}" for name, value in values if value]
    flags = [f"--runtime-flag={value}" for value in said.runtime_flag]
    flags += [f"--hooks-dir={os.path.abspath(path)}" for path in said.hooks_dir]
    flags += [f"--cdi-spec-dir={os.path.abspath(path)}" for path in said.cdi_spec_dir]
    flags += [f"--network-config-dir={os.path.abspath(said.network_config_dir)}"] if said.network_config_dir else []
    flags += ["--syslog"] if said.syslog else []
    return (*single, *flags, *(f"--module={path}" for path in modules))
