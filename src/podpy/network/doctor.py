"""Why pasta or slirp4netns can't connect a container, with what mends it: for errors and for `podpy system doctor`."""

from __future__ import annotations

import os

from podpy.errors import ConfigError, NetworkSetupError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths
    from podpy.rootless.checks.check import Check

_HELPER = "network helper"
_NOISE = ("Failed to send", "Couldn't get any nameserver", "Multiple default", "Template interface")


def helper(paths: Paths) -> Check:
    """Is there a program that connects containers to the network, and which one does where nobody chooses?"""
    from podpy.config.containers_conf import load
    from podpy.rootless.checks.check import failed

    try:
        return _helper(load(paths), paths.cache)
    except ConfigError as error:  # every other command says the same; the other checks are still worth something
        return failed(_HELPER, error.message, error.hint)
    except OSError as error:  # asked for its options, it wasn't even started
        return failed(_HELPER, f"{error.filename} can't be run: {error.strerror}", "install passt again")


def _helper(conf: ContainersConf, cache: str) -> Check:
    from podpy.network import mode
    from podpy.network.programs import is_old
    from podpy.rootless.checks.check import failed, install, passed

    try:
        wanted = mode.parse("", conf)
    except NotSupportedError as error:
        return failed(_HELPER, error.message.rpartition(": ")[2], install("passt"))
    has_old_pasta = wanted.kind == mode.PASTA and is_old(wanted.program, cache)
    used = mode.instead_of_old_pasta("", wanted, conf) if has_old_pasta else wanted
    if not os.access(used.program, os.X_OK):
        return failed(_HELPER, f"{used.program} can't be run", "correct network_cmd_path in containers.conf")
    if not has_old_pasta:
        return passed(_HELPER, used.program)
    old = f"{wanted.program} is of before August 2024"
    if used.kind == mode.PASTA:
        mend = "remove pasta_options from containers.conf" if conf.pasta_options else install("slirp4netns")
        cause = f"{old}: some connections into containers are lost (docs/networking.md)"
        return failed(_HELPER, cause, f"{mend}    # or install a newer pasta", required=False)
    return passed(_HELPER, f"{used.program}, because {old}; pasta only where UDP or IPv6 ports are published")


def tun_problem() -> tuple[str, str] | None:
    """Return cause and mend if /dev/net/tun can't be used by this user; None if it can."""
    from podpy.rootless.checks.host_checks import tun
    from podpy.rootless.checks.mends import one_line

    check = tun()
    return None if check.ok else (check.cause, one_line(check.mend))


def explain(program: str, code: int, said: str) -> NetworkSetupError:
    """Return the error for a helper that ended with `code` and said `said`."""
    own = said.partition("Usage:")[0]  # an unknown option: the rest is pasta --help
    lines = [line for line in own.splitlines() if line.strip() and not line.startswith(_NOISE)]
    reason = " / ".join(lines[-2:]) or (f"signal {-code}" if code < 0 else f"exit code {code}")
    problem = tun_problem()
    if problem is not None:
        return NetworkSetupError(f"{program} can't connect the container: {problem[0]}", hint=problem[1])
    return NetworkSetupError(f"{program} can't connect the container: {reason}", hint=_hint(program, said))


def _hint(program: str, said: str) -> str:
    lower = said.lower()
    if "overlapping port specifier" in lower:
        return (
            "It publishes a port on one address, or on all (-p 8080:80); choose another host port for the other address"
        )
    if "unrecognized option" in lower or "invalid option" in lower:
        return f"This version of {program} doesn't know the option: {program} --help"
    if "permission denied" in lower or "operation not permitted" in lower:
        profile = f"/etc/apparmor.d/usr.bin.{'passt' if program == 'pasta' else program}"
        if os.path.exists("/sys/module/apparmor") and os.path.exists(profile):
            return f"AppArmor may forbid it: sudo dmesg | grep apparmor; to try: sudo aa-complain {profile}"
        return "A security module or a sandbox may forbid it; podpy system doctor; or --network host, none"
    return "podpy system doctor; another way: --network slirp4netns, host or none"
