"""Finds the running containers that ask for updates, and their units."""

from __future__ import annotations

from podpy.errors import NoSuchImageError, NotFoundError, PodpyError, StateError, UsageError
from podpy.libpod.containers.held import Held
from podpy.libpod.containers.rows import true_rows
from podpy.libpod.containers.table import RUNNING
from podpy.record import Record
from podpy.spec.container import UNIT_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.libpod.updates.table import Update
    from podpy.storage.images import ImageRecord

LABEL = "io.containers.autoupdate"
AUTHFILE_LABEL = "io.containers.autoupdate.authfile"
REGISTRY = "registry"
LOCAL = "local"
_DISABLED = "disabled"
_POLICIES = {_DISABLED: _DISABLED, "image": REGISTRY, LOCAL: LOCAL, REGISTRY: REGISTRY}
USER = "user"
SYSTEM = "system"


class Place(Record):
    """The unit that a container belongs to, and whose it is (USER, SYSTEM)."""

    unit: str
    manager: str

    @property
    def of_user(self) -> bool:
        """Whether it is a unit of the user's own systemd."""
        return self.manager == USER


class Task:
    """One container that asks for updates; `status` becomes Podman's word for what was done."""

    def __init__(self, container: Held, policy: str, place: Place, image: ImageRecord, full_name: str) -> None:
        spec = container.spec
        self.container_id = container.id
        self.name = container.name
        self.image_name = spec.image  # as it was given
        self.full_name = full_name
        self.policy = policy
        self.place = place
        self.authfile = spec.labels.get(AUTHFILE_LABEL, "")
        self.image = image
        self.status = "failed"
        self.update: Update | None = None


def find(engine: Engine) -> tuple[dict[str, list[Task]], list[PodpyError]]:
    """Return the tasks by their units, and errors of containers that ask for updates and can't have any.

    A container that doesn't run has no task, as in Podman: what a user has stopped isn't started.
    """
    found: dict[str, list[Task]] = {}
    errors: list[PodpyError] = []
    for row in true_rows(engine):
        if row.status != RUNNING or LABEL not in row.labels:
            continue
        container = Held(engine, row)
        try:
            task = _task(container)
        except PodpyError as error:
            errors.append(error)
        else:
            if task is not None:
                found.setdefault(task.place.unit, []).append(task)
    return found, errors


def _task(container: Held) -> Task | None:
    policy = _policy(container.spec.labels.get(LABEL, ""))
    if policy == _DISABLED:
        return None
    place = place_of(container)
    image = container.image
    if image is None:
        raise NoSuchImageError(f"auto-updating container {_quoted(container)}: it has no image, but a directory")
    if image.id.startswith(container.spec.image.removeprefix("sha256:")):
        raise UsageError(
            f"auto-updating container {_quoted(container)}: it was made with an image's id, which never means another",
            hint="Make it with the image's name",
        )
    return Task(container, policy, place, image, _full_name(container))


def _policy(text: str) -> str:
    """Return the policy that a label means; none is as good as `disabled`. Raises UsageError."""
    if not text:
        return _DISABLED
    if text not in _POLICIES:
        listed = " ".join(f'"{name}"' for name in _POLICIES)
        raise UsageError(f'invalid auto-update policy "{text}": valid policies are [{listed}]')
    return _POLICIES[text]


def place_of(container: Held) -> Place:
    """Return the unit that made a container, if it is there that its monitor runs.

    Raises NotFoundError (no unit has made it), StateError (it runs elsewhere).
    """
    from podpy.rootless.cgroups import cgroup_of
    from podpy.systemd.scope import is_under_manager
    from podpy.systemd.unit import is_in

    unit = unit_of(container)
    if not unit:
        raise NotFoundError(
            f"auto-updating container {_quoted(container)}: no {UNIT_VARIABLE} label found",
            hint=f"A unit makes it that says Environment={UNIT_VARIABLE}=%n, as Quadlet's do",
        )
    try:
        cgroup = cgroup_of(container.row.conmon_pid)
    except OSError:
        cgroup = ""
    if not is_in(cgroup, unit):
        whose = "--user " if container.engine.paths.rootless else ""
        raise StateError(
            f"auto-updating container {_quoted(container)}: it doesn't run in its unit {unit}",
            hint=f"Was it started by hand? systemctl {whose}start {unit}",
        )
    uid = container.engine.paths.uid
    return Place(unit=unit, manager=USER if uid and is_under_manager(uid, cgroup) else SYSTEM)


def unit_of(container: Held) -> str:
    """Return the unit whose process made a container, or its pod; empty: none did."""
    spec = container.spec
    if spec.systemd_unit or not spec.pod:
        return spec.systemd_unit
    from podpy.libpod.pods.table import PodTable

    engine = container.engine
    try:
        infra = PodTable(engine.database).get(spec.pod).infra_id
        return Held(engine, engine.table.get(infra)).spec.systemd_unit if infra else ""
    except NotFoundError:
        return ""


def _full_name(container: Held) -> str:
    """Return the name of the store's that a container's image name means."""
    from podpy.image.names.lookup import find_named
    from podpy.image.names.reference import REGISTRY as TRANSPORT
    from podpy.image.names.reference import parse

    typed = container.spec.image.removeprefix(TRANSPORT)
    try:
        return find_named(container.engine.store, container.engine.paths, typed)[1] or container.row.image_name
    except NoSuchImageError:  # its name was taken away meanwhile
        reference = parse(typed)
        return container.row.image_name if reference.is_short else str(reference.with_default_tag())


def _quoted(container: Held) -> str:
    return f'"{container.id}"'
