"""Pods for lists: with their containers' true states, filtered."""

from __future__ import annotations

from podpy.go.template.values import Struct
from podpy.go.time import GoTime
from podpy.libpod.containers.table import shown_status
from podpy.libpod.pods.held import true_members
from podpy.libpod.pods.states import state_of
from podpy.libpod.pods.table import Member, PodLine, PodTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.engine import Engine


def lines(engine: Engine, filters: Sequence[str] = (), *, whole: bool = False) -> list[PodLine]:
    """Return all pods that match every filter, oldest first; `whole`: with all fields. Raises UsageError."""
    table = PodTable(engine.database)
    rows = table.all()
    by_pod: dict[str, list[Member]] = {row.id: [] for row in rows}
    for member in true_members(engine, table.members()) if rows else ():
        if member.pod in by_pod:
            by_pod[member.pod].append(member)
    found = [PodLine(row=row, members=by_pod[row.id], state=state_of(by_pod[row.id])) for row in rows]
    if filters:
        from podpy.libpod.filters.pods import matching

        found = matching(found, [*filters])
    return [_whole(engine, line) for line in found] if whole else found


def _whole(engine: Engine, line: PodLine) -> PodLine:
    from podpy.libpod.pods.cgroup import view_of

    spec = line.row.parsed()
    networks = [each.network or engine.conf.default_network for each in spec.container.networks]
    cgroup = spec.cgroup_parent or (view_of(engine).parent if spec.share_parent else "")
    return line.replace(cgroup=cgroup, networks=networks)


def state_of_member(member: Member) -> str:
    """Return a container's state as lists of pods show it."""
    return shown_status(member.status, member.started, member.restarts)


def as_report(line: PodLine) -> Struct:
    """Return Podman's ListPodsReport of a line with all fields."""
    row = line.row
    members = [
        Struct({"Id": each.id, "Names": each.name, "Status": state_of_member(each), "RestartCount": each.restarts})
        for each in line.members
    ]
    return Struct(
        {
            "Cgroup": line.cgroup,
            "Containers": members or None,
            "Created": GoTime(row.created),
            "Id": row.id,
            "InfraId": row.infra_id,
            "Name": row.name,
            "Namespace": "",
            "Networks": line.networks,
            "Status": line.state,
            "Labels": row.labels_dict(),
        }
    )
