"""/run/.containerenv: what a container may know about itself.

The file's presence is the sign that a process runs in a container. Podman writes more into it only for a privileged
one; so does podpy, and for an image that asks for it by a label, as the embedded `hello` does.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.spec.container import ContainerSpec

LABEL = "io.podpy.describe-container"
PATH = "/run/.containerenv"


def is_told(spec: ContainerSpec) -> bool:
    """Return whether a container's file says more than that it's there."""
    return spec.privileged or LABEL in spec.labels


def text(container: Held, spec: ContainerSpec) -> str:
    """Return the file's text: KEY="VALUE" lines, Podman's keys and ours (`conmon`, the monitor's path)."""
    if not is_told(spec):
        return ""
    from podpy.monitor.start import OWN_CONMON
    from podpy.version import VERSION

    row = container.row
    lines = [
        f'engine="podpy-{VERSION}"',
        f'name="{row.name}"',
        f'id="{row.id}"',
        f'image="{row.image_name}"',
        f'imageid="{row.image_id}"',
        f"rootless={int(container.engine.paths.rootless)}",
        f'conmon="{container.engine.settings.conmon or OWN_CONMON}"',
    ]
    return "\n".join(lines) + "\n"


def tell_conmon(directory: str) -> None:
    """Add the monitor's pid, which is known only when the OCI runtime is being started; the container may have to wait.

    `directory` is the container's run directory, where conmon's pid file and the file to be mounted are.
    """
    with open(os.path.join(directory, "conmon.pid"), encoding="ascii") as file:
        pid = int(file.read())
    with open(os.path.join(directory, os.path.basename(PATH).lstrip(".")), "a", encoding="ascii") as file:
        file.write(f"conmon_pid={pid}\n")
