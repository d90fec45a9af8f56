"""`podpy system doctor|migrate|renumber|check`."""

from __future__ import annotations

import sys

from podpy.config.paths import Paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.rootless.checks.check import Check


def doctor(options: Options) -> int:
    """Print every check of the host; 1 if one fails that podpy can't do without."""
    if options.print_apparmor_profile:
        from podpy.rootless.checks.user_checks import apparmor_profile

        sys.stdout.write(apparmor_profile())
        return 0
    from podpy.network.doctor import helper
    from podpy.oci.doctor import seccomp_profile, version_checks
    from podpy.rootless.checks.doctor import checks

    results = [*checks(_paths(options), helper, seccomp_profile), *version_checks()]
    if options.json:
        from podpy import fastjson

        sys.stdout.write(fastjson.dumps([check.as_dict() for check in results]) + "\n")
    else:
        sys.stdout.write("".join(_lines(check) for check in results))
    return int(any(check.required and not check.ok for check in results))


def migrate(options: Options) -> int:
    """End the process that holds the user's namespaces: the next call makes them by the configuration of then."""
    from podpy.errors import InUseError
    from podpy.rootless import holder
    from podpy.rootless.first import conmon_in_namespace

    paths = _paths(options)
    if not paths.rootless:
        return 0
    if conmon_in_namespace(paths) >= 0:
        raise InUseError(
            "the user namespace can't be given up: containers run in it",
            hint="podpy stop --all && podpy system migrate",
        )
    holder.end(paths)
    return 0


def check(options: Options) -> int:
    """Finish what killed calls have left, check the store, and say what was found; 1 if something is still wrong."""
    from podpy.cli.engine import open_runtime
    from podpy.libpod.system.repair import repair

    with open_runtime(options) as runtime:
        runtime.enter()
        done = repair(runtime)
        findings = runtime.store.check(repair=options.repair)
    lines = [*done, *(f"{found.what}{': repaired' if found.repaired else ''}" for found in findings)]
    sys.stdout.write("".join(line + "\n" for line in lines))
    return int(any(not found.repaired for found in findings))


def renumber(options: Options) -> int:
    """Do nothing: podpy's locks are files and have no numbers."""
    return 0


def _paths(options: Options) -> Paths:
    said = options.globals
    return Paths.find(said.root or None, said.runroot or said.tmpdir or None)


def _lines(check: Check) -> str:
    word = "ok  " if check.ok else "FAIL" if check.required else "note"
    mend = "".join(f"        {line}\n" for line in check.mend.splitlines())
    return f"{word}  {check.name}: {check.cause}\n{mend}"
