"""A compose file → files of Quadlet, one for each service, network, volume and build."""

from __future__ import annotations

import os

from podpy.compose import builds, life, mounts, networks, options
from podpy.compose.node import Node
from podpy.compose.project import DEFAULT, Request, read
from podpy.compose.service import LABEL, Service
from podpy.quadlet import units
from podpy.quadlet.keys import ending
from podpy.quadlet.writing import Said, literal, section
from podpy.record import Record
from podpy.yaml.places import Plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.compose.project import Project
    from podpy.quadlet.problems import Problem

_PATIENCE = "TimeoutStartSec=900"  # seconds: a start may pull an image, and compose waits for that
_FOREVER = "TimeoutStartSec=infinity"  # its start is its whole run


class Converted(Record):
    """Files by their names, and what is wrong with the compose file, by its lines."""

    files: dict[str, str]
    problems: list[Problem]

    @property
    def is_whole(self) -> bool:
        """Whether the files mean all that the compose file says."""
        return not any(problem.fatal for problem in self.problems)


def convert(request: Request, *, podpy: str, in_one: bool = False) -> Converted:
    """Convert a compose file. `in_one`: all files will be one, which can hold no others than Quadlet's.

    Raises NotFoundError and UsageError for a file that can't be read.
    """
    project = read(request)
    services = [_service(name, project) for name in project.services if project.services[name].is_mapping]
    for name, node in project.services.items():
        if not node.is_mapping:
            node.tell(f"the service {name} must be a mapping")
    _check_names(services, project)
    _check_circles(services, project)
    made = _builds(services, project)
    for service in services:
        service.image = _image(service, made)
    found: dict[str, str] = dict(made.values())
    found |= _objects(services, project)
    asked = life.conditions(project)
    for service in services:
        found[project.unit(service.name)] = _file(service, asked.get(service.name, set()))
        if service.companions and in_one:
            service.node.tell("its configs need files beside the unit's", hint="--output-dir DIR")
        found |= service.companions
    if not any(problem.fatal for problem in project.notes.problems):
        _check(found, project, podpy)
    problems = sorted(project.notes.problems, key=lambda problem: problem.line)
    return Converted(files=dict(sorted(found.items())), problems=problems)


def _check_names(services: list[Service], project: Project) -> None:
    """Tell of two services with one container's name: each would replace the other's container."""
    seen: dict[str, str] = {}
    for service in services:
        name = project.container(service.name)
        if name in seen:
            service.node.tell(f"its container has the name of that of {seen[name]}: {name}")
        seen[name] = service.name


def _check_circles(services: list[Service], project: Project) -> None:
    """Tell of services that wait for each other: systemd would start one of them anyhow."""
    after = {project.unit(service.name): set(service.after) for service in services}
    while free := [unit for unit, others in after.items() if not others & after.keys()]:
        for unit in free:
            del after[unit]
    while free := sorted(after.keys() - set().union(*after.values())):  # they only wait for a circle
        for unit in free:
            del after[unit]
    for service in services:
        if project.unit(service.name) in after:
            names = ", ".join(each.name for each in services if project.unit(each.name) in after)
            service.node.tell(f"services that wait for each other: {names}")
            return


def _service(name: str, project: Project) -> Service:
    service = Service(name, project)
    service.say("--name", project.container(name))
    service.say("--label", f"{LABEL}.project={project.name}", f"{LABEL}.service={name}")
    service.say("--label", f"{LABEL}.container-number=1", f"{LABEL}.oneoff=False")
    options.read(service)
    if not {"networks", "network_mode"} & set(service.keys):
        networks.attach(service, Node(Plain(""), service.node.line, service.node.path, project.notes))
    return service


def _builds(services: list[Service], project: Project) -> dict[str, tuple[str, str]]:
    """Return the .build files (name, text) by the names of their images."""
    found: dict[str, tuple[str, str]] = {}
    for service in services:
        if "build" not in service.keys:
            continue
        given = service.keys["image"].text() if "image" in service.keys else f"{project.name}-{service.name}"
        if given not in found:
            text = builds.build_file(_local(given), service.keys["build"], project)
            found[given] = (f"{project.name}-{service.name}.build", text)
    return found


def _image(service: Service, made: dict[str, tuple[str, str]]) -> str:
    """Return the image of a service, or the .build file that makes it."""
    image = service.keys["image"].text() if "image" in service.keys else ""
    if not image and "build" not in service.keys:
        service.node.tell("neither image nor build is given")
        return ""
    name = image or f"{service.project.name}-{service.name}"
    return made[name][0] if name in made else _whole(image)


def _whole(image: str) -> str:
    """Return an image's name with its registry, as Docker has it."""
    host, slash, _ = image.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _local(image: str) -> str:
    return image if _whole(image) == image else f"localhost/{image}"


def _objects(services: list[Service], project: Project) -> dict[str, str]:
    """Return the files of networks and volumes, those that no service has, too, as compose makes them."""
    used = {value.partition(":")[0] for service in services for value in _values(service, "--network")}
    names = [*project.networks]
    if DEFAULT not in names and networks.reference(DEFAULT, project) in used:
        names.append(DEFAULT)
    found = {f"{project.name}-{name}.network": networks.network_file(name, project) for name in names}
    found |= {f"{project.name}-{name}.volume": mounts.volume_file(name, project) for name in project.volumes}
    return {name: text for name, text in found.items() if text}


def _values(service: Service, option: str) -> list[str]:
    return [value for said in service.said if said.name == option for value in said.values]


def _file(service: Service, asked: set[str]) -> str:
    """Return the text of a service's file. `asked`: the conditions under which others depend on it."""
    lines = [_FOREVER if life.COMPLETED in asked else _PATIENCE, *service.lines]
    if life.COMPLETED in asked:
        lines += ["Type=oneshot", "RemainAfterExit=yes"]
        if "Restart=always" in lines:
            service.node.tell("others wait for its end, so restart: always makes no sense", hint="restart: on-failure")
    if life.HEALTHY in asked:
        service.said.append(Said("--sdnotify", ["healthy"]))
    strength = {True: "Requires", False: "Wants"}
    after = [line for name, needed in service.after.items() for line in (f"{strength[needed]}={name}", f"After={name}")]
    description = f"Description={literal(f'{service.name} of {service.project.name}')}"
    return "\n".join(
        [
            "[Unit]",
            description,
            *after,
            *service.unit,
            "",
            "[Container]",
            *section(service.said, service.image, service.command),
            "",
            "[Service]",
            *lines,
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        ]
    )


def _check(found: dict[str, str], project: Project, podpy: str) -> None:
    """Tell what the generator would say of the files."""
    staged = {f"{project.directory}/{name}": text.encode() for name, text in found.items() if ending(name)}
    request = units.Request(roots=[], podpy=podpy, user=True, uid=os.geteuid(), staged=staged)
    for problem in units.generate(request).problems:
        name = os.path.basename(problem.path)
        project.notes.tell(f"{name}: {problem.text}", 0, "", hint=problem.hint, fatal=problem.fatal)
