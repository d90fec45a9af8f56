"""The facts about a start that are known before its first operation; made once, never changed."""

from __future__ import annotations

from podpy.record import Record
from podpy.spec.userns import outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths
    from podpy.spec.container import ContainerSpec


class StartContext(Record):
    """One start of one container."""

    container_id: str
    name: str
    hostname: str
    spec: ContainerSpec
    directory: str  # its run directory
    layer: str  # its directory under the graph root (on a disk)
    rootfs: str  # the path where its root filesystem is mounted
    former_ports: str  # the ports of its last start, as the row's JSON
    console_size: tuple[int, int] | None = None  # of the caller's terminal
    environ: Mapping[str, str]  # the caller's
    paths: Paths
    conf: ContainersConf
    hooks_dirs: list[str] = []  # of OCI hooks
    cdi_dirs: list[str] = []  # of CDI specs

    def host_ids(self, uid: int, gid: int) -> tuple[int, int]:
        """Translate a uid and a gid of the container into podpy's own user namespace."""
        return outside(uid, self.spec.uid_maps), outside(gid, self.spec.gid_maps)
