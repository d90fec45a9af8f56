"""One service → what `podpy run` would be told, and what its unit says beside that."""

from __future__ import annotations

from podpy.quadlet.writing import Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.compose.node import Node
    from podpy.compose.project import Project

LABEL = "com.docker.compose"
"""What begins the labels by which compose, and programs that look for its containers, know a project."""


class Service:
    """A conversion under way: `said` are options of `podpy run`, `command` its words after the image.

    `unit` and `lines` are lines of [Unit] and [Service]; `companions`: files that go beside the unit's, by their names.
    """

    def __init__(self, name: str, project: Project) -> None:
        self.name, self.project = name, project
        self.node = project.services[name]
        self.keys = self.node.entries()
        self.said: list[Said] = []
        self.image = ""
        self.command: list[str] = []
        self.unit: list[str] = []
        self.lines: list[str] = []
        self.companions: dict[str, str] = {}
        self.after: dict[str, bool] = {}
        """Files whose units start before this one's; whether it can't do without."""

    def say(self, option: str, *values: str) -> None:
        """Add an option once for each value."""
        self.said += [Said(option, [value]) for value in values]

    def switch(self, option: str, value: bool) -> None:
        """Add an option that is on or off."""
        self.said.append(Said(option, ["true" if value else "false"], is_bool=True))

    def other(self, node: Node, name: str) -> str:
        """Return the name of the container of another service, which is to start before this one."""
        if name not in self.project.services:
            tell_missing(node, name, self.project)
            return name
        self.after.setdefault(self.project.unit(name), True)
        return self.project.container(name)


def tell_missing(node: Node, name: str, project: Project) -> None:
    """Tell that a service isn't there."""
    from podpy.compose.node import nearest

    if name in project.left_out:
        profiles = "its profile isn't asked for"
        node.tell(f"the service {name} is left out: {profiles}", hint="--profile NAME")
    else:
        node.tell(f"no service {name} is there", hint=nearest(name, project.services))
