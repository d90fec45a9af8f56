"""What callers of Updates give and get."""

from __future__ import annotations

from podpy.image.registry.access import PullOptions
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.errors import PodpyError


class Wanted(Record):
    """What `auto-update` is asked to do. `try_again`: also images that were given up for the former ones."""

    dry_run: bool = False
    rollback: bool = True
    try_again: bool = False
    authfile: str = ""
    tls_verify: bool | None = None

    def access(self, authfile: str = "") -> PullOptions:
        """Return how a registry is asked; `authfile`: a container's own."""
        return PullOptions(policy="always", authfile=authfile or self.authfile, tls_verify=self.tls_verify)


class Report(Record):
    """What was done about one container; `updated`: true, false, pending, failed, rolled back."""

    unit: str
    container: str
    container_id: str
    image: str
    policy: str
    updated: str


class Outcome(Record):
    """The reports, and the errors of containers and units that failed."""

    reports: list[Report]
    errors: list[PodpyError]
