"""What the host must offer to a rootless engine: each check with its cause and its mend.

`podpy system doctor` prints the checks; the errors of a failed first call are the same ones, so that what is said at run
time and what is said on demand can't differ.
"""

from __future__ import annotations

from podpy.errors import RootlessError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths


def explain(operation: str, error: OSError, *, step: str = "") -> RootlessError:
    """Return the error of a failed operation, with the cause that the checks find and its mend."""
    at = f" ({step})" if step else ""
    return RootlessError(f"can't {operation}{at}: {error.strerror}", hint="podpy system doctor")


def id_map_error(paths: Paths, tool: str, said: str) -> RootlessError:
    """Return the error of a newuidmap or newgidmap that failed and said `said`."""
    return RootlessError(f"can't set up the user's ids: {said or tool + ' failed'}", hint="podpy system doctor")


def single_id_warning(paths: Paths, missing_tool: str) -> str:
    """Return the warning of a namespace that has one id only."""
    from podpy.rootless.subids import user_name

    name = user_name(paths.uid) or str(paths.uid)
    if missing_tool:
        return f"only one user id is available: {missing_tool} isn't installed. sudo apt install uidmap (Fedora: shadow-utils)"
    return (
        f"only one user id is available: {name} has no subordinate ids. "
        f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}"
    )
