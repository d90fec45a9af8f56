"""The files of Quadlet of one user, or of root."""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import AlreadyError, InUseError, NotFoundError, PodpyError, UsageError
from podpy.libpod.quadlets import placing
from podpy.libpod.quadlets.sources import collect
from podpy.quadlet import search
from podpy.quadlet.keys import ending
from podpy.quadlet.units import Request, drafts_of, generate
from podpy.record import Record
from podpy.systemd import systemctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podpy.quadlet.problems import Problem
    from podpy.quadlet.units import Unit

_STOPPED = (systemctl.NOT_LOADED, "inactive/dead", "failed/failed")
_FILTERS = ("name", "status", "app", "pod")


class File(Record):
    """One file: its name, the unit's, its path, the unit's state, the directory that it was installed in together with
    others (`app`), and the pod's file.
    """

    name: str
    unit: str
    path: str
    status: str
    app: str
    pod: str


class Checked(Record):
    """What `verify` found."""

    problems: list[Problem]
    files: int

    @property
    def is_right(self) -> bool:
        """Whether every file has a unit."""
        return not any(problem.fatal for problem in self.problems)


class Quadlets:
    """The files that the generator reads for a user (`uid` not 0) or for root."""

    def __init__(self, environ: Mapping[str, str], *, uid: int, home: str, podpy: str) -> None:
        self.environ, self.uid, self.home, self.podpy = environ, uid, home, podpy
        self.user = uid != 0

    @property
    def directory(self) -> str:
        """Where files are installed."""
        if not self.user:
            return search.SYSTEM[1]
        config = self.environ.get("XDG_CONFIG_HOME", "")
        return (config if config.startswith("/") else f"{self.home}/.config") + "/containers/systemd"

    def _roots(self) -> list[search.Root]:
        return search.roots(self.environ, user=self.user, uid=self.uid, home=self.home)[0]

    def _request(self, staged: dict[str, bytes] | None = None, roots: list[search.Root] | None = None) -> Request:
        return Request(
            roots=self._roots() if roots is None else roots,
            podpy=self.podpy,
            user=self.user,
            uid=self.uid,
            staged=staged or {},
        )

    def rows(self, filters: Sequence[str] = ()) -> list[File]:
        """Return the files, sorted by name. Raises UsageError for a filter that there isn't."""
        wanted = _parsed(filters)
        placing.clean(self.directory)
        roots = self._roots()
        request = self._request(roots=roots)
        tree = search.look(roots)
        drafts = drafts_of(tree, request)
        states = systemctl.states([draft.service for draft in drafts.values()], user=self.user)
        tops = [os.path.realpath(root.path) for root in roots]
        found = [
            File(
                name=name,
                unit=drafts[name].service,
                path=path,
                status=states.get(drafts[name].service, systemctl.NOT_LOADED),
                app=_application(path, tops),
                pod=drafts[name].pod,
            )
            for name, path in tree.files.items()
        ]
        return sorted((file for file in found if _matches(file, wanted)), key=lambda file: file.name)

    def _one(self, name: str) -> File:
        for file in self.rows():
            if file.name == name:
                return file
        raise NotFoundError(f'could not locate quadlet "{name}" in any supported quadlet directory')

    def text(self, name: str) -> str:
        """Return a file's text. Raises NotFoundError."""
        raw, problem = search.read(self._one(name).path, self.uid)
        if problem:
            raise PodpyError(str(problem))
        return raw.decode("utf-8", "surrogateescape")

    def unit(self, name: str) -> Unit:
        """Return a file's unit. Raises NotFoundError, and UsageError if it has none, with the first mistake."""
        path = self._one(name).path
        generated = generate(self._request())
        for unit in generated.units:
            if unit.path == path:
                return unit
        hint = "podpy quadlet verify tells all mistakes"
        _refuse([problem for problem in generated.problems if problem.path.startswith(path)], hint)
        raise UsageError(f"{name} has no unit", hint=hint)

    def verify(self, paths: Sequence[str] = ()) -> Checked:
        """Check files, those of directories, or (none given) all of the search path. What they name may be there, too.

        Raises NotFoundError for a path that isn't there.
        """
        staged: dict[str, bytes] = {}
        roots = []
        for path in paths:
            whole = os.path.abspath(path)
            if os.path.isdir(whole):
                roots.append(search.Root(path=whole))
            elif os.path.exists(whole):
                raw, problem = search.read(whole, self.uid)
                if problem:
                    return Checked(problems=[problem], files=1)
                staged[whole] = raw
            else:
                raise NotFoundError(f"{path}: no such file or directory")
        generated = generate(self._request(staged, roots + self._roots()))
        if not paths:
            return Checked(problems=generated.problems, files=len(generated.read))
        ours = (*staged, *(f"{os.path.realpath(root.path)}/" for root in roots))
        problems = [problem for problem in generated.problems if problem.path.startswith(ours)]
        return Checked(problems=problems, files=len([path for path in generated.read if path.startswith(ours)]))

    def install(
        self, paths: Sequence[str], *, application: str = "", replace: bool = False, reload: bool = True
    ) -> tuple[list[str], list[Problem]]:
        """Install files; return their paths, and the warnings about them. Nothing is changed if a file is wrong.

        Files that the application has had, and that aren't among the new ones, stay, and are told.

        Raises UsageError with the first mistake, AlreadyError for a file that is there (without `replace`).
        """
        _check_application(application)
        placing.clean(self.directory)
        directory = f"{self.directory}/{application}" if application else self.directory
        pieces = collect(paths, application)
        staged = {f"{directory}/{piece.name}": piece.raw for piece in pieces}
        origins = {f"{directory}/{piece.name}": piece.origin for piece in pieces}
        generated = generate(self._request(staged))
        ours = [problem.replace(path=origins[problem.path]) for problem in generated.problems if problem.path in staged]
        _refuse(ours, "Nothing is installed; podpy quadlet verify tells all mistakes")
        there = [path for path in staged if os.path.lexists(path)]
        if there and not replace:
            names = ", ".join(os.path.basename(path) for path in there)
            raise AlreadyError(
                f"a Quadlet with name {names} already exists, refusing to overwrite", hint="--replace overwrites it"
            )
        more = [] if application else placing.asset_list(self.directory, pieces)
        placing.place(self.directory, [*pieces, *more], application=application, replace=replace)
        if reload:
            self._reload("The files are installed")
        return list(staged), [*ours, *(_staying(directory, staged) if application else [])]

    def _reload(self, done: str) -> None:
        """Let the manager run its generators. Raises PodpyError, which says what is done nevertheless."""
        try:
            systemctl.reload(user=self.user)
        except PodpyError as error:
            error.hint = f"{done}. {error.hint}"
            raise

    def remove(
        self,
        names: Sequence[str],
        *,
        everything: bool = False,
        force: bool = False,
        ignore: bool = False,
        recursive: bool = False,
        reload: bool = True,
    ) -> tuple[list[str], list[PodpyError]]:
        """Remove files, and directories of files that were installed together (`recursive`); return what was removed,
        and what couldn't be. A unit that runs is stopped with `force`.
        """
        own = [file for file in self.rows() if file.path.startswith(os.path.realpath(self.directory) + "/")]
        wanted = list(names)
        if everything:
            wanted += [file.name for file in own if not file.app]
            wanted += sorted({file.app for file in own if file.app}) if recursive else []
        removed: list[str] = []
        errors: list[PodpyError] = []
        for name in wanted:
            try:
                removed += self._remove(name, own, force=force, ignore=ignore, recursive=recursive)
            except PodpyError as error:
                errors.append(error)
        if reload and removed:
            self._reload("The files are removed")
        return removed, errors

    def _remove(self, name: str, own: list[File], *, force: bool, ignore: bool, recursive: bool) -> list[str]:
        found = [file for file in own if name == file.name] if ending(name) else []
        application = found[0].app if found else "" if ending(name) else name
        if application:
            found = [file for file in own if file.app == application]
        if not found:
            if ignore:
                return [name] if ending(name) else []
            raise NotFoundError(f"no such {'quadlet' if ending(name) else 'application'} {name}")
        if application and not recursive:
            raise UsageError(
                f'refusing to remove application "{application}": recursive option is not set', hint="--recursive"
            )
        for file in found:
            if file.status not in _STOPPED:
                if not force:
                    raise InUseError(
                        f"quadlet {file.name} is running and force is not set, refusing to remove",
                        hint=f"--force, or: systemctl {'--user ' if self.user else ''}stop {file.unit}",
                    )
                systemctl.stop(file.unit, user=self.user)
        for file in found:
            if application:
                files.unlink(file.path)
            else:
                placing.remove(os.path.dirname(file.path), file.name)
        if application:
            _remove_directory(f"{self.directory}/{application}")
        return [file.name for file in found]


def _refuse(problems: list[Problem], hint: str) -> None:
    """Raise UsageError for the first mistake, if there is one."""
    wrong = [problem for problem in problems if problem.fatal]
    if wrong:
        others = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise UsageError(f"{wrong[0]}{others}", hint=hint)


def _remove_directory(path: str) -> None:
    from shutil import rmtree

    if os.path.islink(path):
        os.unlink(path)
    else:
        rmtree(path)


def _check_application(name: str) -> None:
    if name and ("/" in name or name in (".", "..") or not name.isprintable()):
        raise UsageError(f"invalid application name: {name}")
    if ending(name) or name.endswith(".d"):
        raise UsageError("invalid application name, names can't end with a quadlet extension")


def _application(path: str, tops: list[str]) -> str:
    """Return the directory below the search path that a file lies in, or an empty text."""
    top = max((top for top in tops if path.startswith(f"{top}/")), key=len, default="")
    inside = path.removeprefix(f"{top}/")
    return inside.partition("/")[0] if "/" in inside else ""


def _parsed(filters: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in filters:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f'invalid filter "{text}"')
        if name not in _FILTERS:
            raise UsageError(f"{name} is not a valid filter", hint=f"There are {', '.join(_FILTERS)}")
        found.setdefault(name, []).append(value)
    return found


def _matches(file: File, wanted: dict[str, list[str]]) -> bool:
    import re

    try:
        return all(any(re.search(value, getattr(file, name)) for value in values) for name, values in wanted.items())
    except re.error as error:
        raise UsageError(f"{error}: no regular expression") from error


def _staying(directory: str, installed: Mapping[str, bytes]) -> list[Problem]:
    """Return a warning for each of Quadlet's files in an application's directory that wasn't installed just now."""
    from podpy.quadlet.problems import Problem

    return [
        Problem(
            path=f"{directory}/{name}",
            line=0,
            text="is of the application, but not among the new files: it stays",
            hint=f"stop its unit, and rm {directory}/{name}",
            fatal=False,
        )
        for name in sorted(os.listdir(directory))
        if ending(name) and f"{directory}/{name}" not in installed
    ]
