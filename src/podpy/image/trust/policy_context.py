"""The policy check of one image: its requirements, its signatures."""

from __future__ import annotations

from podpy.config import policy
from podpy.errors import PodpyError, TrustError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.paths import Paths
    from podpy.config.policy import Requirement
    from podpy.image.names.reference import Reference
    from podpy.image.trust.signatures import Signature


class Origin(Record):
    """An image's origin in the terms of policy.json.

    `scopes`: see `podpy.image.trust.scopes`; `name`: its name in errors (docker://…); `reference`: the name that the
    user gave, with tag or digest; None for transports without names.
    """

    transport: str
    scopes: list[str]
    name: str
    reference: Reference | None = None


class PolicyContext:
    """The policy check of one image. Nothing of the image may become visible before `check_policy` has returned."""

    def __init__(self, paths: Paths, origin: Origin, *, policy_file: str = "") -> None:
        """`policy_file` replaces the user's or the system's policy.json. Raises ConfigError."""
        self._paths = paths
        self._origin = origin
        self._path = ""
        self._requirements: list[Requirement] = []
        found = policy.load(paths.home, policy_file)
        if found is not None:
            from podpy.image.trust.identity import check_identities

            check_identities(found)
            self._path = found.path
            self._requirements = found.requirements(origin.transport, origin.scopes)

    @property
    def wants_signatures(self) -> bool:
        """Whether the decision depends on signatures."""
        return any(requirement.type in (policy.SIGNED_BY, policy.SIGSTORE_SIGNED) for requirement in self._requirements)

    def refuse_rejected(self) -> None:
        """Raise TrustError if the policy rejects the image whatever its signatures are; needs no network."""
        for requirement in self._requirements:
            if requirement.type == policy.REJECT:
                raise self._rejected(f"Running image {self._origin.name} is rejected by policy")
            if requirement.unsupported:
                raise self._rejected(
                    f"{requirement.unsupported} ({self._path}: {requirement.where}) is not supported by podpy"
                )

    def check_policy(self, manifest: bytes, signatures: Callable[[], list[Signature]] = list) -> None:
        """Return if every requirement accepts the image with this manifest; else raise TrustError.

        `signatures` is called at most once, and only if the decision depends on signatures. Raises ConfigError if a key
        can't be read.
        """
        self.refuse_rejected()
        if not self.wants_signatures:
            return
        from podpy.image.trust.verify import check_signed

        try:
            found = signatures()
            for requirement in self._requirements:
                if requirement.type != policy.ACCEPT:
                    check_signed(self._paths, requirement, self._origin.reference, manifest, found)
        except PodpyError as error:
            raise self._rejected(error.message, error.hint) from None

    def _rejected(self, why: str, hint: str = "") -> TrustError:
        return TrustError(
            f"Source image rejected: {why}", hint=hint or f"The policy is in {self._path}: podpy image trust show"
        )
