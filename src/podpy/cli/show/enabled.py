"""What `system boot` and `system auto-update` print about a unit that they let systemd start."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.system.boot import Enabled


def tell(done: Enabled) -> None:
    """Print the unit, what else was done, and what is still needed."""
    print(done.unit)
    if done.has_begun_to_linger:
        print("Lingering is on: your systemd runs from boot on")
    tell_missing(done.missing)


def tell_missing(commands: list[str]) -> int:
    """Print the commands that are still missing; return 1 if there are any."""
    for command in commands:
        print(f"Still missing: {command}")
    return int(bool(commands))
