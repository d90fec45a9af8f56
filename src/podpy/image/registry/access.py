"""Options of connections to registries and of pulls, from `pull`, `run` and `create`."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.auth import Credentials
    from podpy.image.documents.schema import Platform

PULL_POLICIES = ("always", "missing", "newer", "never")


class Access(Record):
    """Options of connections to registries. Empty texts and None: as configured."""

    tls_verify: bool | None = None
    authfile: str = ""
    credentials: Credentials | None = None
    cert_dir: str = ""
    signature_policy: str = ""
    retries: int | None = None
    retry_delay: float | None = None  # seconds before the first retry (0: one), then twice as long each time


class PullOptions(Access):
    """Options of a pull. Empty texts and None: as configured."""

    policy: str = "always"  # one of PULL_POLICIES; for `create` empty: as containers.conf says
    platform: str = ""  # os/arch[/variant]
    os: str = ""
    arch: str = ""
    variant: str = ""

    @property
    def names_platform(self) -> bool:
        """Whether the options may name another platform than this machine's."""
        return bool(self.platform or self.os or self.arch or self.variant)

    def wanted(self) -> Platform:
        """Return the wanted platform. Raises ImageError if `platform` isn't one."""
        from podpy.image.documents.schema import parse_platform

        return parse_platform(self.platform, os_name=self.os, architecture=self.arch, variant=self.variant)
