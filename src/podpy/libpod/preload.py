"""What the everyday calls import when they are made: a process that forks a worker for each call loads it before."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "config.containers_conf",
    "config.mounts_conf",
    "image.documents.config",
    "image.names.lookup",
    "libpod.containers.container",
    "libpod.containers.ending.finish",
    "libpod.containers.ending.remove",
    "libpod.containers.ending.stop",
    "libpod.containers.ending.wait",
    "libpod.containers.inspect_data",
    "libpod.containers.manager",
    "libpod.containers.rows",
    "libpod.containers.starting.create",
    "libpod.containers.starting.self_description",
    "libpod.containers.starting.start",
    "libpod.io.exec",
    "libpod.io.logs",
    "libpod.system.repair",
    "monitor.exit_command",
    "network.bridge.attach",
    "network.definitions.folder",
    "network.setup",
    "oci.document.build",
    "oci.document.exec",
    "oci.exec_check",
    "oci.root.users",
    "oci.root.workdir",
    "oci.runtime",
    "spec.defaults",
    "spec.merge",
    "storage.database.database",
    "storage.database.sqlite",
    "storage.store",
)
"""Below podpy; each with what it imports itself."""


def preload() -> None:
    """Import them all."""
    for name in MODULES:
        import_module(f"podpy.{name}")
