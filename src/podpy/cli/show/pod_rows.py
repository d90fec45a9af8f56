"""One pod in `pod ps`, as a template sees it."""

from __future__ import annotations

from podpy.go.template.values import Struct
from podpy.go.units import ago
from podpy.libpod.pods.rows import as_report, state_of_member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.pods.table import PodLine

_SHORT_ID = 12


def placeholders(line: PodLine, *, whole: bool, now: int) -> Struct:
    """Return the fields that --format can show; as JSON it is Podman's ListPodsReport."""
    from podpy.go.view import Shown

    row, members = line.row, line.members
    width = None if whole else _SHORT_ID
    labels = row.labels_dict()
    shown = {
        "Cgroup": line.cgroup,
        "ContainerIds": ",".join(each.id[:width] for each in members),
        "ContainerNames": ",".join(each.name for each in members),
        "ContainerStatuses": ",".join(state_of_member(each) for each in members),
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
    return Shown(shown, as_report(line))
