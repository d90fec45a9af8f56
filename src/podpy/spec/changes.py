"""The changes that `podpy update` makes to a container's spec (podman-update(1)). Pure."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.record import Record
from podpy.spec.text import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.spec.container import ContainerSpec, Resources, Ulimit


class Changes(Record):
    """The new values; a field that is None, empty or not named stays as it is."""

    resources: dict[str, Any] = {}  # field of Resources: its new value; memory and pids_limit: 0 is "no limit"
    memory_swap: str = ""  # --memory-swap's text: its meaning depends on the memory limit
    restart: tuple[str, int] | None = None  # policy, retries
    env: dict[str, str] = {}
    unset_env: list[str] = []
    ulimits: list[Ulimit] = []
    health: dict[str, Any] = {}  # field of Health: its new value
    startup: dict[str, Any] = {}  # field of StartupCheck: its new value

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to change."""
        return self != Changes()

    @property
    def limits_something(self) -> bool:
        """Whether one of the changes is a limit, which the OCI runtime sets in a running container."""
        return bool(self.resources or self.memory_swap)


def changed(spec: ContainerSpec, changes: Changes) -> ContainerSpec:
    """Return the spec with the changes. Raises UsageError for one that conflicts with the rest of the spec."""
    fields: dict[str, Any] = {}
    if changes.limits_something:
        fields["resources"] = _resources(spec.resources, changes)
    if changes.restart is not None:
        policy, retries = changes.restart
        if spec.remove and policy not in ("", "no"):
            raise UsageError('the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"')
        fields.update(restart_policy=policy, restart_retries=retries)
    if changes.env or changes.unset_env:
        kept = {name: value for name, value in spec.env.items() if name not in changes.unset_env}
        fields["env"] = {**kept, **changes.env}
        changed = {*changes.env, *changes.unset_env}
        fields["env_origins"] = {name: each for name, each in spec.env_origins.items() if name not in changed}
        unset = [name for name in (*spec.unset_env, *changes.unset_env) if name not in changes.env]
        fields["unset_env"] = list(dict.fromkeys(unset))
    if changes.ulimits:
        fields["ulimits"] = list({limit.name: limit for limit in (*spec.ulimits, *changes.ulimits)}.values())
    if changes.health or changes.startup:
        from podpy.spec import health

        fields["health"] = health.changed(spec.health, changes.health, changes.startup)
    return spec.replace(**fields) if fields else spec


def _resources(old: Resources, changes: Changes) -> Resources:
    fields = dict(changes.resources)
    memory = (fields["memory"] or None) if "memory" in fields else old.memory
    if changes.memory_swap or "memory" in fields:
        fields.update(memory=memory, memory_swap=limits.memory_swap(changes.memory_swap, memory))
    if fields.get("cpus"):
        fields.update(cpu_quota=None, cpu_period=None)
    elif fields.get("cpu_quota") or fields.get("cpu_period"):
        fields["cpus"] = None
    return old.replace(**fields)
