"""Keys of containers.conf(5) that podpy knows and doesn't obey, and why: --log-level=info tells who sets one.

Every key of containers-common 0.50 (Debian 12) to 6.x that has no reader stands here, or is an attribute of
ContainersConf and has one; a test walks them.
"""

from __future__ import annotations

_MEASURED = "podpy finds out by itself"
_EVENTS = "podpy keeps events in its database"
_CONFIGMAPS = "kube play takes ConfigMaps from files: --configmap"
_LISTENERS = "a published port has a listener always"
_LOCKS = "podpy's locks are files, without numbers"
_MACHINE = "podpy has no virtual machines"
_PLACE = "podpy keeps everything below its graph root and run root: --root, --runroot"
_PUSH = "say it to push: --format, --compression-format, --compression-level"
_REMOTE = "podpy is no remote client"
_SELINUX = "podpy doesn't label for SELinux"
_SERVICE = "it comes with the API service"
_VOLUMES = "podpy fills a volume when its first container starts"

LATER: dict[str, str] = {
    "containers.label": _SELINUX,
    "containers.label_users": _SELINUX,
    "containers.userns_size": "say it to run: --userns=auto:size=",
    "containers.prepare_volume_on_create": _VOLUMES,
    "engine.add_compression": _PUSH,
    "engine.compat_api_enforce_docker_hub": _SERVICE,
    "engine.compression_format": _PUSH,
    "engine.compression_level": _PUSH,
    "engine.conmon_path": "podpy brings its own monitor; --conmon starts another one",
    "engine.database_backend": "podpy's database is SQLite",
    "engine.enable_port_reservation": _LISTENERS,
    "engine.env": "set podpy's own variables where podpy is called",
    "engine.events_container_create_inspect_data": "podpy's events are short; podpy inspect says the rest",
    "engine.events_logfile_max_size": _EVENTS,
    "engine.events_logfile_path": _EVENTS,
    "engine.exit_command_delay": _SERVICE,
    "engine.force_port_listen": _LISTENERS,
    "engine.image_build_format": "Podman ignores it, too: say it to build, --format",
    "engine.image_copy_tmp_dir": "podpy stages images in its graph root",
    "engine.image_default_format": _PUSH,
    "engine.image_default_transport": "an image's transport is docker:// unless its name says another one",
    "engine.image_parallel_copies": "podpy fetches as many layers at once as it measured to be best",
    "engine.lock_type": _LOCKS,
    "engine.machine_enabled": _MACHINE,
    "engine.namespace": "podpy's store has no namespaces: use --root",
    "engine.num_locks": _LOCKS,
    "engine.platform_to_oci_runtime": "say it to run: --runtime",
    "engine.podmansh_timeout": "podpy has no podmansh",
    "engine.remote": _REMOTE,
    "engine.runtime_supports_json": _MEASURED,
    "engine.runtime_supports_kvm": _MEASURED,
    "engine.runtime_supports_nocgroups": _MEASURED,
    "engine.runtimes_flags": "say them to podpy: --runtime-flag",
    "engine.service_timeout": _SERVICE,
    "engine.ssh_config": _REMOTE,
    "engine.static_dir": _PLACE,
    "engine.tmp_dir": _PLACE,
    "engine.volume_path": "it is the directory of Podman's volumes; podpy's own: --volumepath",
    "engine.volume_plugin_timeout": "podpy has no volume plugins",
    "engine.volume_plugins": "podpy has no volume plugins",
    "network.cni_plugin_dirs": "podpy never had CNI",
    "network.dns_bind_port": "podpy's resolver listens on the bridges' own addresses, where nobody else has port 53",
    "network.netavark_plugin_dirs": "podpy has no network plugins",
    "network.network_backend": "podpy makes the bridges itself; their definitions are netavark's",
    "network.rootless_port_forwarder": "podpy's forwarder keeps the client's address always",
    "configmaps.driver": _CONFIGMAPS,
    "configmaps.opts": _CONFIGMAPS,
    "farms.default": "podpy has no farms",
    "farms.list": "podpy has no farms",
    "machine.cpus": _MACHINE,
    "machine.disk_size": _MACHINE,
    "machine.image": _MACHINE,
    "machine.import_native_ca": _MACHINE,
    "machine.memory": _MACHINE,
    "machine.provider": _MACHINE,
    "machine.rosetta": _MACHINE,
    "machine.user": _MACHINE,
    "machine.volumes": _MACHINE,
    "podmansh.container": "podpy has no podmansh",
    "podmansh.shell": "podpy has no podmansh",
    "podmansh.timeout": "podpy has no podmansh",
}
"""SECTION.KEY: why it has no effect (yet), one clause."""
