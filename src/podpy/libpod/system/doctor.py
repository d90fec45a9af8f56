"""All checks of the host, from all rooms."""

from __future__ import annotations

from podpy.network.doctor import helper
from podpy.network.other_firewalls import forwarding
from podpy.oci.doctor import seccomp_profile, version_checks
from podpy.rootless.checks import doctor
from podpy.rootless.checks.user_checks import apparmor_profile as apparmor_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.rootless.checks.check import Check


def checks(paths: Paths) -> list[Check]:
    """Return the result of each check, in the order in which they are printed."""
    networks = (helper,) if paths.rootless else (helper, forwarding)
    return [*doctor.checks(paths, *networks, seccomp_profile), *version_checks()]
