"""`podpy update`: changes an existing container, whether it is running or not.

The runtime is called before the row is written: if the runtime or the host refuses a limit, nothing changes, and the
container can be started as before. Between the two, a file in its run directory has the new limits: if the call is
killed there, the next repair sets the row's limits again.
"""

from __future__ import annotations

import os

from podpy import fastjson, files
from podpy.errors import NoSuchContainerError, RuntimeFailedError
from podpy.libpod.containers.table import ALIVE, INITIALIZED
from podpy.libpod.locks import BusyError
from podpy.monitor.files import UNCOMMITTED
from podpy.spec.changes import changed
from podpy.spec.container import ContainerSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine
    from podpy.spec.changes import Changes
    from podpy.spec.container import Resources


def update(container: Held, changes: Changes) -> None:
    """Change a container; this process must be in the user's namespaces.

    In a running container, limits and health checks change at once, variables and ulimits at its next start. Raises
    UsageError, NotSupportedError (a limit that can't be enforced), RuntimeFailedError; then nothing has changed.
    """
    with container.locked() as row:
        _take_back(container, row)
        before = container.spec
        spec = changed(before, changes)
        has_processes = row.status in (*ALIVE, INITIALIZED)
        if changes.limits_something:
            if has_processes:
                _limit(container, row, spec)
            else:
                from podpy.libpod.containers.starting.preflight import check_limits

                check_limits(container.engine, spec)
        text = fastjson.dumps(spec.as_dict())
        container.engine.table.update(row.id, "update", spec=text, restart_policy=spec.restart_policy)
        if changes.limits_something:
            _forget(container.engine.run_directory(row.id))
        if has_processes and (changes.env or changes.unset_env or changes.ulimits):
            _rewrite_process(container, spec, changes)
        if has_processes and (spec.restart_policy, spec.restart_retries) != (
            before.restart_policy,
            before.restart_retries,
        ):
            from podpy.libpod.containers.starting.launch import restart_word
            from podpy.monitor.health import tell_policy

            tell_policy(container.engine.run_directory(row.id), restart_word(spec, row.restarts))
        if row.status in ALIVE and (changes.health or changes.startup):
            from podpy.libpod.containers.starting.health import follow

            follow(container, spec)


def _limit(container: Held, row: ContainerRow, spec: ContainerSpec) -> None:
    """Set limits in the cgroup of a running container."""
    from podpy.libpod.containers.inspect_host import cgroup_path
    from podpy.oci.document import resources
    from podpy.rootless import cgroups

    cgroups.show_v2()
    path = cgroup_path(row)
    found = files.read_small(f"{cgroups.ROOT}{path}/cgroup.controllers").split() if path else []
    manager = "cgroupfs" if path else "none"
    before, after = container.spec.resources, spec.resources
    if spec.limits_if_possible:
        resources.check(_changes(before, after), manager, found)
        before, after = (resources.enforceable(each, manager, found)[0] for each in (before, after))
    resources.check(after, manager, found)
    runtime, directory = container.engine.oci_runtime, container.engine.run_directory(row.id)
    files.replace(f"{directory}/{UNCOMMITTED}", fastjson.dumps(spec.as_dict()))
    try:
        runtime.update(row.id, resources.for_update(after, before), directory=directory)
    except RuntimeFailedError:
        try:  # the runtime writes one file after another, so some limits may have been set
            runtime.update(row.id, resources.for_update(before, after), directory=directory)
        except RuntimeFailedError:
            pass  # the user needs the first error
        _forget(directory)
        raise


def _changes(before: Resources, after: Resources) -> Resources:
    """Return only those limits that are new."""
    new = {name: getattr(after, name) for name in after._fields if getattr(after, name) != getattr(before, name)}
    return type(after)(**new)


def take_back(engine: Engine, container_id: str) -> bool:
    """Undo what an update that was killed has changed of a container; return whether there was one. Waits for nobody.

    This process must be in the user's namespaces.
    """
    if not os.path.exists(f"{engine.run_directory(container_id)}/{UNCOMMITTED}"):
        return False
    from podpy.libpod.containers.held import find

    try:
        container = find(engine, container_id)
        with container.locked(wait=False) as row:
            return _take_back(container, row)
    except (BusyError, NoSuchContainerError):
        return False


def _take_back(container: Held, row: ContainerRow) -> bool:
    directory = container.engine.run_directory(row.id)
    text = files.read_small(f"{directory}/{UNCOMMITTED}")
    if not text:
        return False
    if text == row.spec:  # it was killed after its commit: nothing is to be undone
        _forget(directory)
        return False
    from podpy.oci.document import resources
    from podpy.rootless import cgroups

    cgroups.show_v2()
    before = ContainerSpec.from_dict(fastjson.loads(text)).resources
    asked = resources.for_update(container.spec.resources, before)
    try:
        container.engine.oci_runtime.update(row.id, asked, directory=directory)
    except RuntimeFailedError:
        pass  # it has ended meanwhile; or the limits stay, and its next start sets the row's
    _forget(directory)
    return True


def _forget(directory: str) -> None:
    try:
        os.unlink(f"{directory}/{UNCOMMITTED}")
    except FileNotFoundError:
        pass


def _rewrite_process(container: Held, spec: ContainerSpec, changes: Changes) -> None:
    """Rewrite `process` in config.json: `inspect` shows it, and `exec` begins with it."""
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
