"""One pod in `pod ps`, as a template sees it."""

from __future__ import annotations

from podpy.go.template.values import Struct
from podpy.go.time import GoTime
from podpy.go.units import ago
from podpy.libpod.containers.table import shown_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.pods.table import PodLine

_SHORT_ID = 12


def json_row(line: PodLine) -> Struct:
    """Return Podman's ListPodsReport, as `pod ps --format json` has it."""
    row = line.row
    members = [
        Struct({"Id": each.id, "Names": each.name, "Status": _state(each), "RestartCount": each.restarts})
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


def placeholders(line: PodLine, *, whole: bool, now: int) -> Struct:
    """Return the fields that --format can show; as JSON it is `json_row`."""
    from podpy.go.view import Shown

    row, members = line.row, line.members
    width = None if whole else _SHORT_ID
    labels = row.labels_dict()
    shown = {
        "Cgroup": line.cgroup,
        "ContainerIds": ",".join(each.id[:width] for each in members),
        "ContainerNames": ",".join(each.name for each in members),
        "ContainerStatuses": ",".join(_state(each) for each in members),
        "Created": ago(row.created, now),
        "ID": row.id[:width],
        "Id": row.id[:width],
        "InfraID": row.infra_id[:width],
        "InfraId": row.infra_id[:width],
        "Label": lambda name: labels.get(name, ""),
        "Labels": ",".join(f"{name}={labels[name]}" for name in sorted(labels)),
        "Name": row.name,
        "Namespace": "",
        "Networks": ",".join(line.networks),
        "NumberOfContainers": len(members),
        "Restarts": sum(each.restarts for each in members),
        "Status": line.state,
    }
    return Shown(shown, json_row(line))


def _state(member: Any) -> str:
    return shown_status(member.status, member.started, member.restarts)
