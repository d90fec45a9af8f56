"""All files of the search path → their units, in the order in which they depend on each other."""

from __future__ import annotations

from podpy.quadlet import search
from podpy.quadlet.draft import MARK, USERS_ONLINE, Draft, complete
from podpy.quadlet.keys import KINDS, ending
from podpy.quadlet.problems import Problem
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.quadlet.cache import Kept

_WAIT = """\
[Unit]
Description=podpy: wait for the system's network, which a user's manager can't see

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=90
# Nothing waits longer than until the machine has started: then nobody is about to bring the network up.
ExecStart=/bin/sh -c 'while ! systemctl is-active --quiet network-online.target; do \\
    case $(systemctl is-system-running) in initializing|starting) sleep 0.5 ;; *) exit 0 ;; esac; done'
"""


class Request(Record):
    """What to make units of: the search path, for whom (`user`: a user's manager, `uid`), and podpy's own path.

    `staged`: files, by their paths, that aren't there yet, or will be other ones.
    """

    roots: list[search.Root]
    podpy: str
    user: bool
    uid: int
    staged: dict[str, bytes] = {}


class Unit(Record):
    """A generated unit: its name, its text, the links (place, target) that enable it, and the file that it is from."""

    name: str
    text: str
    links: list[tuple[str, str]]
    path: str


class Generated(Record):
    """What became of all files. `read`: the paths of those that were read, in order."""

    units: list[Unit]
    problems: list[Problem]
    read: list[str]


def generate(request: Request, kept: Kept | None = None) -> Generated:
    """Make the units of all files. `kept`: the drafts of an earlier call, which is brought up to date."""
    tree = search.look(request.roots)
    for path in request.staged:
        tree.add(path)
    paths: list[str] = []
    drafts = drafts_of(tree, request, kept, paths)
    problems = tree.problems + [
        Problem(path=path, line=line, text=text, hint=hint, fatal=fatal, key=key)
        for draft in drafts.values()
        for path, line, text, hint, fatal, key in draft.problems
    ]
    units = Resolver(tree.files, drafts, problems).units()
    if request.user and any(USERS_ONLINE in unit.text for unit in units):
        units.insert(0, Unit(name=USERS_ONLINE, text=_WAIT, links=[], path=""))
    return Generated(units=units, problems=problems, read=paths)


def drafts_of(
    tree: search.Tree, request: Request, kept: Kept | None = None, read: list[str] | None = None
) -> dict[str, Draft]:
    """Return what each file means. `read`: gets the paths of what was read."""
    drafts: dict[str, Draft] = {}
    for name, path in tree.files.items():
        paths = [path, *search.drop_ins(name, tree)] if tree.drop_ins else [path]
        drafts[name] = _draft(name, paths, request, kept)
        if read is not None:
            read += paths
    return drafts


def _draft(name: str, paths: list[str], request: Request, kept: Kept | None) -> Draft:
    """Return what a file with its drop-ins means: as kept, or read anew."""
    raws: list[bytes] = []
    problems = []
    for path in paths:
        raw, problem = (request.staged[path], None) if path in request.staged else search.read(path, request.uid)
        raws.append(raw)
        if problem:
            problems.append(problem)
    key = kept.key(paths, raws) if kept and not problems else b""
    found = kept.get(key) if kept and key else None
    if found is not None:
        return Draft.of(found)
    from podpy.quadlet.context import Settings, Source
    from podpy.quadlet.convert import convert
    from podpy.quadlet.unitfile import parse

    unit = parse(raws[0], paths[0])
    for raw, path in zip(raws[1:], paths[1:], strict=True):
        unit.merge(parse(raw, path))
    if problems or any(problem.fatal for problem in unit.problems):
        draft = Draft()  # what can't be read would only lead to further complaints
        end = ending(name)
        draft.service = f"{name[: -len(end)]}{KINDS[end][1]}.service"
        draft.add_problems([*problems, *unit.problems])
    else:
        source = Source(name=name, path=paths[0], unit=unit)
        draft = convert(source, Settings(podpy=request.podpy, user=request.user))
    if kept and key and not any(b"AddDevice" in raw for raw in raws):  # which may depend on what the host has
        kept.put(key, draft.kept())
    return draft


class Resolver:
    """Fills in what files need of each other."""

    def __init__(self, paths: dict[str, str], drafts: dict[str, Draft], problems: list[Problem]) -> None:
        self.paths, self.drafts, self.problems = paths, drafts, problems
        self._usable: dict[str, bool] = {}
        self._members: dict[str, list[str]] = {}

    def units(self) -> list[Unit]:
        """Return the units of the files that are right; tell what the others lack."""
        ordered = sorted(self.drafts, key=lambda name: KINDS[ending(name)][2])
        made: dict[str, str] = {}
        usable = []
        for name in ordered:
            draft = self.drafts[name]
            if not self.is_usable(name):
                continue
            if draft.service in made:
                text = f"{draft.service} is already the unit of {self.paths[made[draft.service]]}"
                self._complain(
                    Problem(path=self.paths[name], line=0, text=text, hint="ServiceName= names it otherwise")
                )
                continue
            made[draft.service] = name
            usable.append(name)
            if draft.starts:
                self._members.setdefault(draft.pod, []).append(draft.service)
        return [self._unit(name) for name in usable]

    def is_usable(self, name: str) -> bool:
        """Return whether a file, and all that it needs, is right."""
        if name not in self._usable:
            self._usable[name] = True  # a circle is systemd's to tell
            draft = self.drafts[name]
            lacking = [need for need in draft.needs if not draft.is_broken and not self._has(*need)]
            self._usable[name] = not draft.is_broken and not lacking
        return self._usable[name]

    def _has(self, name: str, why: str, path: str, line: int) -> bool:
        if name not in self.drafts:
            near = _nearest(name, self.drafts)
            self._complain(Problem(path=path, line=line, text=why, hint=f"did you mean {near}?" if near else ""))
            return False
        if not self.is_usable(name):
            self._complain(Problem(path=path, line=line, text=f"{name}, which it needs, has errors"))
            return False
        if not self.drafts[name].resource and name.endswith((".container", ".network")):
            self._complain(Problem(path=path, line=line, text=f"cannot get the resource name of {name}"))
            return False
        return True

    def _complain(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def _unit(self, name: str) -> Unit:
        draft = self.drafts[name]
        text = draft.text
        whole = text[0] if len(text) == 1 and isinstance(text[0], str) and MARK not in text[0] else ""
        return Unit(
            name=draft.service, text=whole or complete(text, self._known), links=draft.links, path=self.paths[name]
        )

    def _known(self, reference: str) -> list[str]:
        """Return what a reference stands for."""
        kind, name = reference[0], reference[1:]
        if kind == "p":
            return self._members.get(name, [])
        draft = self.drafts.get(name)
        if draft is not None:
            return [draft.service if kind == "s" else draft.resource]
        end = ending(name)  # a template of another search path
        return [f"{name[: -len(end) - 1]}{KINDS[end][1]}@.service"]


def _nearest(name: str, known: Iterable[str]) -> str:
    from podpy.suggest import near

    return next(iter(near(name, [other for other in known if ending(other) == ending(name)])), "")
