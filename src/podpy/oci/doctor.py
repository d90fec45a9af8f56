"""Checks of `podpy system doctor`: versions of the programs that start containers, the seccomp profile."""

from __future__ import annotations

import os
from time import localtime, strftime

from podpy.config.containers_conf import load
from podpy.errors import ConfigError, UsageError
from podpy.oci import versions
from podpy.rootless.checks.check import failed, install, passed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.rootless.checks.check import Check

_PROFILE = "seccomp profile"


def version_checks() -> list[Check]:
    """Return a check with the versions of crun, runc, pasta and the kernel, and one for each known defect of them."""
    found = versions.found()
    checks = [passed("versions", ", ".join(f"{name} {text}" for name, text in found.items()), required=False)]
    for name, text in found.items():
        lacks = versions.lacks(name, text)
        offered = versions.lacks(name, versions.offered(name)) if lacks else []
        checks += [
            failed(name, f"{lack}, {versions.BACKPORTED}", _mend(name, lack in offered), required=False)
            for lack in lacks
        ]
    return checks


def _mend(name: str, in_vain: bool) -> str:
    """Return the command that installs a newer program; `in_vain`: the distribution has none."""
    if name == "kernel":
        return "boot a newer kernel"
    if in_vain:
        return (
            f"# no newer package is offered here: unless its {name} is mended, take {name}'s own release, one static "
            f"file:\nsudo install FILE /usr/local/bin/{name}    # which is found first"
        )
    return f"{install(name)}    # or a newer one from elsewhere"


def seccomp_profile(paths: Paths) -> Check:
    """Which default seccomp profile is there, how old is it, and which sockets does podpy's overlay deny?"""
    from podpy.oci.document import seccomp
    from podpy.spec import families

    try:
        conf = load(paths)
        if conf.seccomp_profile == seccomp.UNCONFINED:
            cause = "containers.conf says unconfined: containers run without a filter"
            return failed(_PROFILE, cause, "remove seccomp_profile from containers.conf", required=False)
        path = conf.seccomp_profile or seccomp.find()
        denied = families.denied_names(families.numbers(conf.seccomp_allow))
        changed = strftime("%Y-%m-%d", localtime(os.stat(path).st_mtime))
    except (ConfigError, UsageError) as error:
        return failed(_PROFILE, error.message, error.hint, required=False)
    except OSError as error:
        return failed(
            _PROFILE, f"{path}: {error.strerror}", "correct seccomp_profile in containers.conf", required=False
        )
    kinds = ", ".join(denied) or "no family"
    said = f"{path} of {changed}; podpy's overlay (version {seccomp.OVERLAY}) denies sockets of {kinds}"
    return passed(_PROFILE, said, required=False)
