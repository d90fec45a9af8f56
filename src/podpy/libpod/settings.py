"""Settings: the global options of one call."""

from __future__ import annotations


class Settings:
    """The global options of one call. Empty texts: as configured."""

    def __init__(
        self,
        *,
        runtime: str = "",
        runtime_flags: tuple[str, ...] = (),
        conmon: str = "",
        cgroup_manager: str = "",
        storage_driver: str = "",
        network_cmd_path: str = "",
        network_config_dir: str = "",
        modules: tuple[str, ...] = (),
        default_mounts_file: str = "",
        events_backend: str = "",
        hooks_dirs: tuple[str, ...] = (),
        cdi_spec_dirs: tuple[str, ...] = (),
        volume_path: str = "",
        transient_store: bool = False,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.arguments = arguments  # the same options as words, for conmon's exit command
        self.runtime = runtime
        self.hooks_dirs = hooks_dirs
        self.cdi_spec_dirs = cdi_spec_dirs
        self.runtime_flags = runtime_flags
        self.conmon = conmon
        self.cgroup_manager = cgroup_manager
        self.storage_driver = storage_driver
        self.network_cmd_path = network_cmd_path
        self.network_config_dir = network_config_dir  # absolute
        self.modules = modules  # files of --module, absolute
        self.default_mounts_file = default_mounts_file
        self.events_backend = events_backend
        self.volume_path = volume_path  # absolute
        self.transient_store = transient_store
