"""One conversion under way: the file, the unit that it becomes, what other files it needs."""

from __future__ import annotations

import os

from podpy.quadlet.draft import Draft, Service, resource_of, service_of
from podpy.quadlet.keys import KINDS, QUADLET, ending
from podpy.quadlet.problems import Problem
from podpy.quadlet.unitfile import Section
from podpy.quadlet.words import literal, quoted
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.quadlet.unitfile import UnitFile

NOT_FOUND = "was not found"


class Settings(Record):
    """What all conversions share: podpy's own path, and whether the units are a user's."""

    podpy: str
    user: bool


class Source(Record):
    """One file: its name, which decides what it means, its path, and its text with that of its drop-ins."""

    name: str
    path: str
    unit: UnitFile


class Context:
    """A conversion. `own` is the kind's section, `given` the file's [Service]; `service` is the unit being made."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self.name, self.path, self.settings = source.name, source.path, settings
        self.ending = ending(source.name)
        self.base = source.name[: -len(self.ending)]
        self.section_name, self.suffix, _, self.keys = KINDS[self.ending]
        self.directory = os.path.dirname(source.path)
        self.problems: list[Problem] = source.unit.problems
        sections = source.unit.sections
        self.own = Section(sections.get(self.section_name, []), self.problems)
        self.given = Section(sections.get("Service", []), self.problems)
        self.unit = Section(sections.get("Unit", []), self.problems)
        self.install = Section(sections.get("Install", []), self.problems)
        self.quadlet = Section(sections.get("Quadlet", []), self.problems)
        renamed = {self.section_name: f"X-{self.section_name}", "Quadlet": "X-Quadlet"}
        self.service = Service(source.unit, renamed)
        self.draft = Draft()

    def fail(self, text: str, key: str = "", *, section: Section | None = None, hint: str = "") -> None:
        """Tell a fatal problem, at a key's line if it is given."""
        section = section or self.own
        path, line = section.place(key) if key in section else (self.path, 0)
        self.problems.append(Problem(path=path, line=line, text=text, hint=hint, key=key if line else ""))

    def need(self, name: str, why: str, key: str, section: Section | None = None) -> None:
        """Note that another file is needed; `why`: what is said if it isn't there."""
        section = section or self.own
        path, line = section.place(key) if key in section else (self.path, 0)
        for entry in section.keys.get(key, ()):
            if name in entry[1]:
                _, _, line, path = entry
        self.draft.needs.append((name, why, path, line))

    def after(self, name: str, strength: str = "Requires") -> str:
        """Make the unit start after that of another file; return the reference to what that one makes."""
        self.service.add("Unit", f"{strength}={service_of(name)}")
        self.service.add("Unit", f"After={service_of(name)}")
        return resource_of(name)

    def podpy(self, *words: str) -> list[str]:
        """Return the beginning of a command line of podpy, with the global options."""
        modules = [f"--module={value}" for value in self.own.values("ContainersConfModule")]
        return [self.settings.podpy, *modules, *self.own.words("GlobalArgs"), *words]

    def absolute(self, path: str, *, command: bool = True) -> str:
        """Return a path from the file's directory; one that begins with a specifier is left alone.

        `command`: it will stand in a command line, where systemd reads variables, too.
        """
        if path.startswith("/") or (path.startswith("%") and not path.startswith("%%")):
            return path
        directory = literal(self.directory)
        return os.path.normpath(f"{directory.replace('$', '$$') if command else directory}/{path}")

    def storage(self, source: str, key: str, *, images: bool) -> str:
        """Return the source of a mount: a file's object, an absolute path, or what was given; with what it needs."""
        if source.startswith("."):
            self.mounts_for(self.absolute(source, command=False))
            return self.absolute(source)
        if source.startswith("/"):
            self.mounts_for(source)
        elif source.endswith((".volume", ".artifact")) or (images and source.endswith(".image")):
            self.need(source, f"requested Quadlet source {source} {NOT_FOUND}", key)
            return self.after(source)
        return source

    def mounts_for(self, path: str) -> None:
        """Make the unit need the file systems that a path lies on."""
        self.service.add("Unit", f"RequiresMountsFor={quoted(path)}")

    def image(self, name: str, key: str) -> str:
        """Return an image's name, or the reference to the file that gets it."""
        if not name.endswith((".build", ".image")):
            return name
        self.need(name, f"requested Quadlet image {name} {NOT_FOUND}", key)
        return self.after(name)

    def check_keys(self) -> None:
        """Tell of keys that there aren't, and the nearest that there is."""
        for section, name, known in ((self.own, self.section_name, self.keys), (self.quadlet, "Quadlet", QUADLET)):
            for key in section.keys:
                if key not in known:
                    text = f"unsupported key '{key}' in group '{name}'"
                    self.fail(text, key, section=section, hint=_nearest(key, list(known)))


def _nearest(key: str, known: list[str]) -> str:
    from podpy.suggest import near, similar

    found = next(iter(near(key, known)), "") or similar(key, known)
    if found:
        return f"did you mean {found}?"
    others = [kind[0] for kind in KINDS.values() if key in kind[3]]
    return f"it is a key of [{others[0]}]" if others else ""
