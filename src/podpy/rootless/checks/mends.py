"""The errors of what can't be done as a user, with the cause that a check finds and what mends it.

They are made of the checks that `podpy system doctor` prints, so both say the same.
"""

from __future__ import annotations

import errno

from podpy.errors import RootlessError
from podpy.rootless.checks import user_checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.rootless.checks.check import Check

_ALL = "podpy system doctor"


def failure(check: Check, what: str = "") -> RootlessError | None:
    """Return a failed check as the error of `what` (a verb phrase), or None if it is ok."""
    if check.ok:
        return None
    message = f"can't {what}: {check.cause}" if what else check.cause
    return RootlessError(message, hint=one_line(check.mend))


def one_line(mend: str) -> str:
    """Return a mend of several lines as one that can be pasted."""
    return " && ".join(line.partition("    #")[0] for line in mend.splitlines())


def explain(operation: str, error: OSError, *, step: str = "", paths: Paths | None = None) -> RootlessError:
    """Return the error of a failed operation of a first call or a join, with the cause that the checks find.

    `operation` is a verb phrase; `step` the system call that failed, if the operation has several.
    """
    where = paths or _paths()
    if where is not None:
        found = failure(user_checks.user_namespaces(where), operation)
        if found is not None:
            return found
    if error.errno in (errno.ENOSPC, errno.EUSERS):
        cause = "the limit of user namespaces (user.max_user_namespaces, or 32 within each other) is reached"
        return RootlessError(f"can't {operation}: {cause}", hint="sudo sysctl -w user.max_user_namespaces=28633")
    at = f"{step}: " if step else ""
    return RootlessError(f"can't {operation}: {at}{error.strerror}", hint=_ALL)


def id_map_error(paths: Paths, tool: str, said: str) -> RootlessError:
    """Return the error of a newuidmap or newgidmap that failed and said `said`."""
    operation = "map the user's subordinate ids"
    for check in (user_checks.id_map_tools(paths), user_checks.subordinate_ids(paths)):
        found = failure(check, operation) if check.required else None
        if found is not None:
            return found
    reason = said.splitlines()[0] if said else f"{tool} failed and said nothing"
    mend = "Do the lines in /etc/subuid and /etc/subgid belong to this user, without overlapping? " + _ALL
    return RootlessError(f"can't {operation}: {reason}", hint=mend)


def single_id_warning(paths: Paths, missing_tool: str) -> str:
    """Return the warning of a namespace that has one id only."""
    check = user_checks.id_map_tools(paths) if missing_tool else user_checks.subordinate_ids(paths)
    return f"containers have one user id only: {check.cause}. {one_line(check.mend)}"


def _paths() -> Paths | None:
    from podpy.config.paths import Paths

    try:
        return Paths.find()
    except (RootlessError, OSError):
        return None
