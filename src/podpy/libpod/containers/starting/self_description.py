"""/run/.containerenv: a container's description of itself.

A process knows from the file's existence that it runs in a container. Podman writes something into it only for a
privileged container. podpy also does so if a label asks for it: the user's label, or that of podpy's own image `hello`;
labels of other images don't count.
"""

from __future__ import annotations

import os

from podpy.monitor.files import MONITOR, read_pidfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held

LABEL = "io.podpy.describe-container"
PATH = "/run/.containerenv"


def is_told(container: Held) -> bool:
    """Return whether a container's file has any content."""
    spec = container.spec
    if LABEL not in spec.image_labels:
        return spec.privileged or LABEL in spec.labels
    from podpy.image.incoming.hello import image_id

    return spec.privileged or LABEL in spec.labels or container.row.image_id == image_id()


def text(container: Held) -> str:
    """Return the file's text: KEY="VALUE" lines, Podman's keys and ours (`conmon`, the monitor's path)."""
    if not is_told(container):
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
    """Add the monitor's pid, which is known only while the OCI runtime is being started; the container may wait for it.

    `directory` is the container's run directory, where conmon's pid file and the file to be mounted are.
    """
    pid = read_pidfile(os.path.join(directory, MONITOR))
    with open(os.path.join(directory, os.path.basename(PATH).lstrip(".")), "a", encoding="utf-8") as file:
        file.write(f"conmon_pid={pid}\n")
