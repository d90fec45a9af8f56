"""A container's rights → its securityContext."""

from __future__ import annotations

from podpy.kube.generate.words import known
from podpy.spec import capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.kube.generate.source import Source
    from podpy.spec.container import ContainerSpec

_SELINUX = {"user": "user", "role": "role", "type": "type", "level": "level"}
_ALL = "ALL"
_ADMIN = "SYS_ADMIN"


def context(source: Source) -> dict[str, Any]:
    """Return the fields that differ from a cluster's defaults, without the image's own user."""
    spec = source.spec
    privileged = bool(spec.privileged)
    changes = {} if privileged else _capabilities(spec)
    # An API server refuses allowPrivilegeEscalation: false if other fields allow an escalation.
    forbids = spec.no_new_privileges and not privileged and _ADMIN not in changes.get("add", ())
    return known(
        allowPrivilegeEscalation=False if forbids else None,
        capabilities=changes,
        privileged=True if privileged else None,
        procMount="Unmasked" if _ALL in spec.unmask and not privileged else None,
        readOnlyRootFilesystem=True if spec.read_only else None,
        seLinuxOptions=_selinux(spec.security_labels),
        seccompProfile={"type": "Unconfined"} if spec.seccomp == "unconfined" and not privileged else None,
        **_user(source),
    )


def _user(source: Source) -> dict[str, Any]:
    own = source.ids if source.spec.user != source.image.user else None
    of_image = source.image.user.partition(":")[0]
    found: dict[str, Any] = {"runAsUser": own[0], "runAsGroup": own[1]} if own else {}
    if of_image.isdecimal() and int(of_image) and not (own and own[0] == 0):
        found["runAsNonRoot"] = True
    return found


def _capabilities(spec: ContainerSpec) -> dict[str, list[str]]:
    """Return the capabilities added to and dropped from the default set, in Kubernetes' form, without CAP_."""
    added, dropped = ([capabilities.normalize(name) for name in names] for names in (spec.cap_add, spec.cap_drop))
    held = capabilities.merge(spec.capabilities, spec.cap_add, spec.cap_drop, capabilities.NAMES)
    usual = capabilities.DEFAULT
    if _ALL in dropped:
        add, drop = held, [_ALL]
    elif _ALL in added:
        add, drop = [_ALL], [name for name in dropped if name not in held]
    else:
        add = [name for name in held if name not in usual]
        drop = [name for name in usual if name not in held]
    found = {"add": [_short(name) for name in add], "drop": [_short(name) for name in drop]}
    return {side: names for side, names in found.items() if names}


def _short(name: str) -> str:
    return name.removeprefix("CAP_")


def _selinux(labels: list[str]) -> dict[str, str]:
    found = {_SELINUX[kind]: value for kind, _, value in (text.partition(":") for text in labels) if kind in _SELINUX}
    if "disable" in labels:
        found["type"] = "spc_t"
    return found
