"""Why pasta or slirp4netns can't connect a container, with what mends it: for errors and for `podpy system doctor`."""

from __future__ import annotations

import os

from podpy.errors import NetworkSetupError

_NOISE = ("Failed to send", "Couldn't get any nameserver", "Multiple default", "Template interface")


def tun_problem() -> tuple[str, str] | None:
    """Return cause and mend if /dev/net/tun can't be used by this user; None if it can."""
    from podpy.rootless.doctor import one_line
    from podpy.rootless.host_checks import tun

    check = tun()
    return None if check.ok else (check.cause, one_line(check.mend))


def explain(program: str, code: int, said: str) -> NetworkSetupError:
    """Return the error for a helper that ended with `code` and said `said`."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith(_NOISE)]
    reason = " / ".join(lines[-2:]) or (f"signal {-code}" if code < 0 else f"exit code {code}")
    problem = tun_problem()
    if problem is not None:
        return NetworkSetupError(f"{program} can't connect the container: {problem[0]}", hint=problem[1])
    return NetworkSetupError(f"{program} can't connect the container: {reason}", hint=_hint(program, said))


def _hint(program: str, said: str) -> str:
    lower = said.lower()
    if "unrecognized option" in lower or "invalid option" in lower:
        return f"This version of {program} doesn't know the option: {program} --help"
    if "permission denied" in lower or "operation not permitted" in lower:
        profile = f"/etc/apparmor.d/usr.bin.{'passt' if program == 'pasta' else program}"
        if os.path.exists("/sys/module/apparmor") and os.path.exists(profile):
            return f"AppArmor may forbid it: sudo dmesg | grep apparmor; to try: sudo aa-complain {profile}"
        return "A security module or a sandbox may forbid it; podpy system doctor; or --network host, none"
    return "podpy system doctor; another way: --network slirp4netns, host or none"
