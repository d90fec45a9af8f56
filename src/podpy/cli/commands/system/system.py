"""`podpy system boot|doctor|migrate|renumber|check|reset`."""

from __future__ import annotations

import sys

from podpy.cli.engine import directories, open_runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.rootless.checks.check import Check


_RESET = """WARNING! This will remove:
        - all containers
        - all pods
        - all images
        - all networks
        - all build cache
        - all volumes
        - all secrets
"""


def doctor(options: Options) -> int:
    """Print every check of the host, or of a network. Return 1 if one fails without which podpy can't work."""
    from podpy.libpod.system import doctor

    if options.print_apparmor_profile:
        sys.stdout.write(doctor.apparmor_profile())
        return 0
    if options.network:
        with open_runtime(options) as runtime:
            results = runtime.networks.diagnose(options.network)
    else:
        results = doctor.checks(directories(options))
    if options.json:
        from podpy import fastjson

        sys.stdout.write(fastjson.dumps([check.as_dict() for check in results]) + "\n")
    else:
        sys.stdout.write("".join(_lines(check) for check in results))
    return int(any(check.required and not check.ok for check in results))


def migrate(options: Options) -> int:
    """End the pause process: the next call makes new namespaces, by the configuration that it finds."""
    from podpy.libpod.system.namespaces import give_up

    give_up(directories(options))
    return 0


def check(options: Options) -> int:
    """Repair what killed calls have left, check the store, print what was found; 1 if something is still wrong."""
    from podpy.libpod.system.check import check

    with open_runtime(options) as runtime:
        lines, is_well = check(runtime, mend=options.repair or options.force, quick=options.quick)
    sys.stdout.write("".join(line + "\n" for line in lines))
    return 0 if is_well else 1


def reset(options: Options) -> int:
    """Remove everything that podpy stores, after asking. Return 125 if something couldn't be removed."""
    from podpy.cli.question import agreed
    from podpy.cli.show.notice import complain

    paths = directories(options)
    places = (
        f'        - the graphRoot directory: "{paths.graphroot}"\n        - the runRoot directory: "{paths.runroot}"\n'
    )
    if not agreed(options, _RESET + places):
        return 0
    with open_runtime(options) as runtime:
        errors = runtime.reset()
    for error in errors:
        complain(error)
    return errors[0].exit_code if errors else 0


def boot_enable(options: Options) -> int:
    """Let systemd start containers after a reboot. Print the unit, what else was done, and what is still needed."""
    from podpy.cli.show.enabled import tell
    from podpy.libpod.system.boot import enable

    with open_runtime(options) as runtime:
        done = enable(runtime)
    tell(done)
    return 0


def boot_status(options: Options) -> int:
    """Print what happens after a reboot. Return 1 if something is missing."""
    from podpy.cli.show.enabled import tell_missing
    from podpy.libpod.system.boot import status

    with open_runtime(options) as runtime:
        found = status(runtime)
    print(f"Unit: {found.unit if found.is_enabled else 'not enabled'}")
    print(f"Starts without a login: {'yes' if found.lingers else 'no'}")
    print(f"Containers: {' '.join(found.containers) or 'none'}")
    return tell_missing(found.missing)


def boot_disable(options: Options) -> int:
    """Stop systemd from starting containers after a reboot."""
    from podpy.libpod.system.boot import disable

    with open_runtime(options) as runtime:
        disable(runtime)
    return 0


def renumber(options: Options) -> int:
    """Do nothing: podpy's locks are files and have no numbers."""
    return 0


def _lines(check: Check) -> str:
    word = "ok  " if check.ok else "FAIL" if check.required else "note"
    mend = "".join(f"        {line}\n" for line in check.mend.splitlines())
    return f"{word}  {check.name}: {check.cause}\n{mend}"
