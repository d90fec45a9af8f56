"""Creates a pod: its row, and its infra container, in one transaction."""

from __future__ import annotations

import os
from time import time_ns

from podpy import fastjson
from podpy.errors import InUseError, UsageError
from podpy.libpod.containers import names
from podpy.libpod.containers.starting.create import create as create_container
from podpy.libpod.pods import infra
from podpy.libpod.pods.held import HeldPod
from podpy.libpod.pods.remove import remove
from podpy.libpod.pods.table import PodRow, PodTable
from podpy.oci.document.resources import needed
from podpy.spec.pod import EXIT_POLICIES, KINDS
from podpy.storage import crash_point
from podpy.storage.database.unfinished import CONTAINER, POD, note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.image.registry.access import PullOptions
    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine
    from podpy.spec.pod import PodSpec

_MOST_TRIES_FOR_A_NAME = 20


def create(engine: Engine, spec: PodSpec, pull: PullOptions | None = None, *, part_of: str = "") -> PodRow:
    """Create a pod without starting it, and return its row. `pull`: how to find the infra container's image;
    `part_of`: the id of an Unfinished, which it belongs to.

    Raises UsageError, InUseError (the name), NoSuchImageError.
    """
    spec = _completed(engine, spec)
    if spec.pod_id_file and os.path.lexists(spec.pod_id_file):
        raise _id_file_exists(spec.pod_id_file)
    for tries_left in reversed(range(1 if spec.name else _MOST_TRIES_FOR_A_NAME)):
        try:
            row = _create(engine, spec.replace(name=spec.name or names.invent_name()), pull, part_of)
        except InUseError:
            if not tries_left:
                raise
        else:
            break
    crash_point("pod:created")
    if spec.pod_id_file:
        try:
            write_id_file(spec.pod_id_file, row.id)
        except UsageError:
            engine.privileged(lambda: remove(HeldPod(engine, row), force=True))
            raise
    return row


def create_service(engine: Engine, name: str, exit_code: str, *, part_of: str = "") -> Held:
    """Create the service container of pods, which isn't started, in place of one of its name; see pods.service."""

    def noted(row: ContainerRow) -> None:
        note(engine.database, part_of, CONTAINER, row.id)

    return create_container(engine, infra.service_spec_of(engine, name, exit_code), replace=True, also=noted)


def _create(engine: Engine, spec: PodSpec, pull: PullOptions | None, part_of: str) -> PodRow:
    row = PodRow(
        id=names.new_id(),
        name=spec.name,
        created=time_ns(),
        exit_policy=spec.exit_policy,
        labels=fastjson.dumps(spec.labels),
        spec=fastjson.dumps(spec.as_dict()),
    )
    if not spec.infra:
        with engine.database.transaction():
            PodTable(engine.database).insert(row)
            note(engine.database, part_of, POD, row.id)
        return row
    owner = infra.spec_of(engine, spec, row.id)

    def insert(container_id: str) -> None:
        nonlocal row
        row = row.replace(infra_id=container_id)
        PodTable(engine.database).insert(row)
        note(engine.database, part_of, POD, row.id)

    create_container(engine, owner, pull, also=lambda container: insert(container.id))
    return row


def _completed(engine: Engine, spec: PodSpec) -> PodSpec:
    """Return the spec, checked and with containers.conf's defaults. Raises UsageError."""
    if spec.name and not names.is_valid_name(spec.name):
        raise UsageError(
            "running pod create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument",
            hint=f"{spec.name!r} doesn't",
        )
    policy = engine.conf.pod_exit_policy if spec.exit_policy is None else spec.exit_policy
    if policy not in EXIT_POLICIES:
        raise UsageError(
            f'running pod create option: invalid pod exit policy: "{policy}"',
            hint=f"It is one of {', '.join(EXIT_POLICIES)}",
        )
    check_share(spec.share)
    if needed(spec.resources) and not spec.share_parent:
        raise UsageError("limits are set in the pod's own cgroup", hint="Leave --share-parent=false out")
    if not spec.infra:
        _check_without_infra(spec)
        return spec.replace(exit_policy=policy, share=[])
    share = [*spec.share]
    if spec.container.userns not in (None, "", "host"):
        share.append("user")
    if spec.container.pid not in (None, "", "private"):
        share.append("pid")
    return spec.replace(exit_policy=policy, share=[*dict.fromkeys(share)])


def check_share(words: Sequence[str]) -> None:
    """Raise UsageError for a namespace that can't be shared."""
    for word in words:
        if word not in KINDS:
            raise UsageError(
                f"invalid kernel namespace to share: {word}. Options are: cgroup, ipc, net, pid, uts or none",
                hint="A + adds one to the default: --share +pid",
            )


def _check_without_infra(spec: PodSpec) -> None:
    """Raise UsageError, in Podman's words, for options that need an infra container."""
    asked = spec.container
    if asked.ports:
        raise UsageError("you must have an infra container to publish port bindings to the host")
    given = {
        "--network": asked.network or asked.networks,
        "--dns": asked.dns,
        "--add-host": asked.add_hosts,
        "--hostname": spec.hostname or asked.hostname,
        "--userns": asked.userns,
        "--sysctl": asked.sysctls,
        "--volume": asked.mounts,
        "--infra-image": spec.infra_image,
        "--infra-command": spec.infra_command,
    }
    for option, value in given.items():
        if value:
            raise UsageError(f"cannot set {option} without an infra container", hint="Leave --infra=false out")


def write_id_file(path: str, pod_id: str) -> None:
    """Write a pod's id to a new file. Raises UsageError."""
    try:
        with open(path, "x", encoding="ascii") as file:
            file.write(pod_id)
    except FileExistsError:
        raise _id_file_exists(path) from None
    except OSError as error:
        raise UsageError(f"--pod-id-file {path}: {error.strerror}") from error


def _id_file_exists(path: str) -> UsageError:
    return UsageError(f"pod id file exists. Ensure another pod is not using it or delete {path}")
