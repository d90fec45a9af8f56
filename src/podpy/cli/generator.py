"""podpy-system-generator: what systemd runs at boot and at `daemon-reload` (systemd.generator(7)); Podman's flags.

    podpy-system-generator [-user] [-dryrun] [-no-kmsg-log] [-v] [-version] [DIRECTORY [EARLY [LATE]]]

A name with `user` in it (podpy-user-generator), or systemd's SYSTEMD_SCOPE=user, is `-user`. Units go to DIRECTORY.
It runs when little else does: no network, perhaps no home directory, all but its output read-only. It exits with 1 if
something was wrong, which systemd notes; the units of the other files are there nevertheless.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.quadlet.cache import Kept
    from podpy.quadlet.problems import Problem
    from podpy.quadlet.units import Generated

NAME = "podpy-system-generator"
_FLAGS = {
    "dryrun": "print the units and write nothing",
    "no-kmsg-log": "write messages to standard error, not to the kernel's log",
    "user": "make units for a user's manager",
    "v": "tell which files are read",
    "version": "print the version and exit",
}
_KERNEL_LOG = "/dev/kmsg"
_WARNING, _ERROR, _INFO = 4, 3, 6  # syslog(3)
_MISUSED = 2


def main(argv: list[str]) -> int:
    """Run the generator and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    flags, rest = _parse(argv)
    wrong = next((flag for flag in flags if flag not in _FLAGS), "")
    if wrong:
        return _usage("" if wrong in ("h", "help") else f"flag provided but not defined: -{wrong}")
    if "version" in flags:
        from podpy.version import VERSION

        print(VERSION)
        return 0
    log = _Log(to_kernel="no-kmsg-log" not in flags and "dryrun" not in flags)
    if not rest and "dryrun" not in flags:
        log.write(_ERROR, "missing output directory argument")
        return 1
    try:
        return _generate(flags, rest, log)
    except OSError as error:
        log.write(_ERROR, f"{error.filename or 'standard output'}: {error.strerror}")
        return 1


def _parse(argv: list[str]) -> tuple[set[str], list[str]]:
    """Return the flags and the other words: Go's syntax, where `-x` and `--x` are the same, and the first other word
    ends the flags.
    """
    flags: set[str] = set()
    for number, word in enumerate(argv):
        if word == "--":
            return flags, argv[number + 1 :]
        if not word.startswith("-") or word == "-":
            return flags, argv[number:]
        name, _, value = word.lstrip("-").partition("=")
        if value not in ("false", "0", "f"):
            flags.add(name)
    return flags, []


def _usage(error: str) -> int:
    lines = [*([error] if error else []), f"Usage of {NAME}:"]
    lines += [f"  -{name}\n    \t{purpose}" for name, purpose in _FLAGS.items()]
    print("\n".join(lines), file=sys.stderr)
    return _MISUSED if error else 0


def _generate(flags: set[str], rest: list[str], log: _Log) -> int:
    from podpy.quadlet.search import roots
    from podpy.quadlet.units import Request, generate

    called = os.path.basename(str(sys._xoptions.get("podpy_called", "")))
    user = "user" in flags or "user" in called or os.environ.get("SYSTEMD_SCOPE") == "user"
    uid = os.geteuid()
    found, problems = roots(os.environ, user=user, uid=uid, home=home(uid))
    request = Request(roots=found, podpy=own_path(), user=user, uid=uid)
    kept = None if "dryrun" in flags else _kept(request.podpy, user)
    generated = generate(request, kept)
    is_verbose = "v" in flags or "dryrun" in flags
    if is_verbose:
        for path in generated.read:
            log.write(_INFO, f"Loading source unit file {path}")
        if not generated.read:
            log.write(_INFO, f"No files parsed from {' '.join(root.path for root in found)}")
    problems += generated.problems
    if "dryrun" in flags:
        for unit in generated.units:
            print(f"---{unit.name}---\n{unit.text}")
    elif generated.units:
        problems += _write(rest[0], generated)
    for problem in problems:
        log.write(_ERROR if problem.fatal else _WARNING, str(problem))
    if kept is not None:
        kept.store()
    return 1 if any(problem.fatal for problem in problems) else 0


def _write(directory: str, generated: Generated) -> list[Problem]:
    from podpy.quadlet.output import write

    return write(directory, generated)


def _kept(podpy: str, user: bool) -> Kept | None:
    """Return what is kept; root's generator has a read-only /run (systemd.generator(7)), and then keeps nothing."""
    from podpy.quadlet.cache import load

    directory = os.environ.get("XDG_RUNTIME_DIR", "") if user else "/run"
    return load(f"{directory}/podpy/cache", [podpy, str(user)]) if directory else None


def home(uid: int) -> str:
    """Return the user's home directory; without HOME, as the user data base has it, or empty."""
    home = os.environ.get("HOME", "")
    if home:
        return home
    import pwd

    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return ""


def own_path() -> str:
    """Return podpy's own path: in a checkout, beside its environment's Python, or in the package's prefix."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    prefix = os.path.normpath(f"{package}/../../../..")
    for directory in (f"{package}/_bin", os.path.dirname(sys.executable), f"{prefix}/bin"):
        if os.access(f"{directory}/podpy", os.X_OK):
            return f"{directory}/podpy"
    return "/usr/bin/podpy"


class _Log:
    """The kernel's log, as nothing else is there at boot; standard error for who may not write there."""

    def __init__(self, *, to_kernel: bool) -> None:
        self.to_kernel = to_kernel
        self.descriptor = -1

    def write(self, level: int, text: str) -> None:
        """Write one line; `level`: of syslog(3)."""
        line = f"{NAME}[{os.getpid()}]: {text}"
        if self.to_kernel and self._to_kernel(f"<{level}>{line}"):
            return
        print(line, file=sys.stderr)

    def _to_kernel(self, line: str) -> bool:
        try:
            if self.descriptor < 0:
                self.descriptor = os.open(_KERNEL_LOG, os.O_WRONLY | os.O_CLOEXEC)
            os.write(self.descriptor, line.encode("utf-8", "surrogateescape"))
        except OSError:
            self.to_kernel = False
        return self.to_kernel
