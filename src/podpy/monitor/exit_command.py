"""The command that conmon runs after a container's end: podpy's own `container cleanup`."""

from __future__ import annotations

import os
import sys

from podpy.process import PACKAGE, start_script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.config.paths import Paths


def exit_command(
    paths: Paths, arguments: Sequence[str], container_id: str, *, remove: bool = False, session: str = ""
) -> list[str]:
    """Return `podpy … container cleanup ID`; `arguments`: the global options; `remove`: with --rm; `session`: the
    exec session that has ended, instead of the container.
    """
    how = [*(["--rm"] if remove else []), *([f"--exec={session}"] if session else [])]
    return own_command(paths, [*arguments, "container", "cleanup", *how, container_id])


def own_command(paths: Paths, words: Sequence[str]) -> list[str]:
    """Return a command line that calls this same podpy with these words, for the same store."""
    backend = sys.modules.get("_cffi_backend")  # a library's caller imported it without the launcher's option
    site = os.path.dirname(getattr(backend, "__file__", None) or PACKAGE)
    found = sys._xoptions.get("podpy_site", site if site != os.path.dirname(PACKAGE) else "")
    program = [sys.executable, "-I", "-S", *([f"-Xpodpy_site={found}"] if found else []), start_script()]
    places = [f"--root={paths.graphroot}", f"--runroot={paths.runroot}"]
    return [*program, *places, *words]
