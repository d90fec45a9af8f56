"""`podpy quadlet`: install, ls, print, rm, verify."""

from __future__ import annotations

import os
import sys

from podpy.cli.generator import home, own_path
from podpy.cli.show.notice import complain
from podpy.errors import UsageError
from podpy.libpod.quadlets.manager import Quadlets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct
    from podpy.libpod.quadlets.manager import Checked, File

_COLUMNS = "{{.Name}}\t{{.UnitName}}\t{{.Path}}\t{{.Status}}\t{{.App}}\t{{.Pod}}"
_WRONG = 1


def _quadlets() -> Quadlets:
    uid = os.geteuid()
    return Quadlets(os.environ, uid=uid, home=home(uid), podpy=own_path())


def install(options: Options) -> int:
    """`podpy quadlet install`: prints the paths of what it installed."""
    paths, warnings = _quadlets().install(
        options.paths, application=options.application, replace=options.replace, reload=options.reload_systemd
    )
    for problem in warnings:
        print(problem, file=sys.stderr)
    for path in paths:
        print(path)
    return 0


def ls(options: Options) -> int:
    """`podpy quadlet ls`."""
    from podpy.cli.show import report

    rows = [_row(file) for file in _quadlets().rows(options.filter)]
    heading = None if options.noheading else report.headers(_row(None), Path="PATH ON DISK", App="APPLICATION")
    sys.stdout.write(report.listed(options.format, rows, heading, default=_COLUMNS))
    return 0


def _row(file: File | None) -> Struct:
    from podpy.go.template.values import Struct

    names = ("Name", "UnitName", "Path", "Status", "App", "Pod")
    values = (file.name, file.unit, file.path, file.status, file.app, file.pod) if file else ("",) * len(names)
    return Struct(dict(zip(names, values, strict=True)))


def print_(options: Options) -> int:
    """`podpy quadlet print`: the file, or (--unit) its unit and the command that the unit runs."""
    quadlets = _quadlets()
    if not options.unit:
        sys.stdout.write(quadlets.text(options.quadlet))
        return 0
    unit = quadlets.unit(options.quadlet)
    lines = unit.text.splitlines()
    commands = [line.removeprefix("ExecStart=") for line in lines if line.startswith("ExecStart=")]
    sys.stdout.write("".join([f"# {command}\n" for command in commands] + [unit.text]))
    return 0


def rm(options: Options) -> int:
    """`podpy quadlet rm`: prints the names of what it removed."""
    if not options.quadlets and not options.all:
        raise UsageError("must provide at least 1 quadlet to remove")
    removed, errors = _quadlets().remove(
        options.quadlets,
        everything=options.all,
        force=options.force,
        ignore=options.ignore,
        recursive=options.recursive,
        reload=options.reload_systemd,
    )
    for name in removed:
        print(name)
    for error in errors:
        complain(error)
    return errors[-1].exit_code if errors else 0


def verify(options: Options) -> int:
    """`podpy quadlet verify`: prints what is wrong; 1 if a file has no unit."""
    checked = _quadlets().verify(options.paths)
    if options.format == "json":
        print(_as_json(checked))
    else:
        for problem in checked.problems:
            print(problem)
    return 0 if checked.is_right else _WRONG


def _as_json(checked: Checked) -> str:
    from podpy.go.json import indented

    found = [
        {
            "file": problem.path,
            "line": problem.line,
            "key": problem.key,
            "severity": "error" if problem.fatal else "warning",
            "message": problem.text,
            "hint": problem.hint,
        }
        for problem in checked.problems
    ]
    return indented({"files": checked.files, "problems": found}, "  ")
