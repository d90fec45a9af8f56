"""How registries are spoken to, and how an image is pulled: what `pull`, `run` and `create` are told."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.auth import Credentials
    from podpy.image.documents.schema import Platform

PULL_POLICIES = ("always", "missing", "newer", "never")


class Access(Record):
    """How registries are spoken to. Empty texts and None mean what the configuration says."""

    tls_verify: bool | None = None
    authfile: str = ""
    credentials: Credentials | None = None
    cert_dir: str = ""
    signature_policy: str = ""
    retries: int | None = None
    retry_delay: float | None = None  # seconds, 0: one second, then twice as long each time


class PullOptions(Access):
    """How to pull. Empty texts and None mean what the configuration says."""

    policy: str = "always"  # one of PULL_POLICIES; for `create` empty: as containers.conf says
    platform: str = ""  # os/arch[/variant]
    os: str = ""
    arch: str = ""
    variant: str = ""

    @property
    def names_platform(self) -> bool:
        """Whether another platform than this machine's may be meant."""
        return bool(self.platform or self.os or self.arch or self.variant)

    def wanted(self) -> Platform:
        """Return the platform that is meant. Raises ImageError if `platform` isn't one."""
        from podpy.image.documents.schema import parse_platform

        return parse_platform(self.platform, os_name=self.os, architecture=self.arch, variant=self.variant)
