"""/run/.containerenv: what a container may know about itself.

The file's presence is the sign that a process runs in a container. Podman writes more into it only for a privileged
one; so does podpy, and for an image that asks for it by a label, as the embedded `hello` does.
"""

from __future__ import annotations

import os

from podpy.plan import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.container import Container
    from podpy.libpod.launch import Launch
    from podpy.runtime.spec import ContainerSpec

LABEL = "io.podpy.describe-container"
PATH = "/run/.containerenv"


def is_told(spec: ContainerSpec) -> bool:
    """Return whether a container's file says more than that it's there."""
    return spec.privileged or LABEL in spec.labels


def text(container: Container, spec: ContainerSpec) -> str:
    """Return the file's text: KEY="VALUE" lines, Podman's keys and ours (`conmon`, the monitor's path)."""
    if not is_told(spec):
        return ""
    from podpy import __version__
    from podpy.runtime.monitor import OWN_CONMON

    row = container.row
    lines = [
        f'engine="podpy-{__version__}"',
        f'name="{row.name}"',
        f'id="{row.id}"',
        f'image="{row.image_name}"',
        f'imageid="{row.image_id}"',
        f"rootless={int(container.runtime.paths.rootless)}",
        f'conmon="{container.runtime.engine.conmon or OWN_CONMON}"',
    ]
    return "\n".join(lines) + "\n"


class TellConmon(Operation):
    """Add the monitor's pid, which is known only when the file has been written, and before the container starts."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch

    def describe(self) -> str:
        """Return what is added where."""
        return f"add the monitor's pid to {PATH}"

    def execute(self) -> None:
        """Append it to the file that will be mounted in the container."""
        directory = self._launch.directory
        try:
            with open(os.path.join(directory, "conmon.pid"), encoding="ascii") as file:
                pid = int(file.read())
        except FileNotFoundError:  # conmon 2.1's protocol: it forks, and knows its pid, only after its start byte
            return
        with open(os.path.join(directory, os.path.basename(PATH)), "a", encoding="ascii") as file:
            file.write(f"conmon_pid={pid}\n")
