"""`podpy update`: change a container that exists, whether it runs or not.

The runtime is asked first, then the row is written: a limit that the runtime or the host refuses changes nothing, and
the container can be started as before.
"""

from __future__ import annotations

import os

from podpy import fastjson, files
from podpy.errors import RuntimeFailedError
from podpy.libpod.containers.table import ALIVE, INITIALIZED
from podpy.spec.changes import changed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.table import ContainerRow
    from podpy.spec.changes import Changes
    from podpy.spec.container import ContainerSpec


def update(container: Held, changes: Changes) -> None:
    """Change a container; this process must be in the user's namespaces.

    Limits and health checks count at once in one that runs, variables and ulimits from its next start.
    Raises UsageError, NotSupportedError (a limit that can't be enforced), RuntimeFailedError: then nothing was changed.
    """
    with container.locked() as row:
        spec = changed(container.spec, changes)
        has_processes = row.status in (*ALIVE, INITIALIZED)
        if changes.limits_something:
            if has_processes:
                _limit(container, row, spec)
            else:
                from podpy.libpod.containers.starting.preflight import check_limits

                check_limits(container.engine, spec)
        text = fastjson.dumps(spec.as_dict())
        container.engine.table.update(row.id, "update", spec=text, restart_policy=spec.restart_policy)
        if has_processes and (changes.env or changes.unset_env or changes.ulimits):
            _rewrite_process(container, spec, changes)
        if row.status in ALIVE and (changes.health or changes.startup):
            from podpy.libpod.containers.starting.health import follow

            follow(container, spec)


def _limit(container: Held, row: ContainerRow, spec: ContainerSpec) -> None:
    """Set limits in the cgroup of a container that runs."""
    from podpy.libpod.containers.inspect_host import cgroup_path
    from podpy.oci.document import resources
    from podpy.rootless import cgroups

    cgroups.show_v2()
    path = cgroup_path(row)
    found = files.read_small(f"{cgroups.ROOT}{path}/cgroup.controllers").split() if path else []
    resources.check(spec.resources, "cgroupfs" if path else "none", found)
    before, after = container.spec.resources, spec.resources
    runtime, directory = container.engine.oci_runtime, container.engine.run_directory(row.id)
    try:
        runtime.update(row.id, resources.for_update(after, before), directory=directory)
    except RuntimeFailedError:
        try:  # the runtime writes one file after the other: some limits may have been set
            runtime.update(row.id, resources.for_update(before, after), directory=directory)
        except RuntimeFailedError:
            pass  # the first error is what the user must know
        raise


def _rewrite_process(container: Held, spec: ContainerSpec, changes: Changes) -> None:
    """Let config.json say what `inspect` shows and what `exec` begins with."""
    from podpy.oci.document import ulimits
    from podpy.oci.document.context import HostFacts

    path = os.path.join(container.engine.run_directory(container.id), "bundle", "config.json")
    config: dict[str, Any] = fastjson.loads(files.read(path, 1 << 26))
    process = config["process"]
    variables = dict(item.partition("=")[::2] for item in process["env"])
    for name in changes.unset_env:
        variables.pop(name, None)
    variables.update(changes.env)
    process["env"] = [fastjson.well_formed(f"{name}={value}") for name, value in variables.items()]
    if changes.ulimits:
        facts = HostFacts.read(rootless=container.engine.paths.rootless, controllers=[], environment={})
        process["rlimits"] = ulimits.build(spec.ulimits, facts)
    files.replace(path, fastjson.dumps(config))
