"""The securityContext of a pod and of a container → user, groups, capabilities, profiles."""

from __future__ import annotations

import os

from podpy.errors import PodpyError
from podpy.numbers import LARGEST_ID
from podpy.spec.text.security import check_apparmor, check_capabilities, parse_sysctls
from podpy.yaml.places import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.kube.translate.context import Context

_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_NONE: dict[str, Any] = {}


def security(container: Mapping, pod: Mapping, context: Context) -> dict[str, Any]:
    """Return the fields of ContainerSpec from the two securityContexts. Raises UsageError, NotSupportedError."""
    of_pod: Mapping | dict[str, Any] = pod.get("securityContext", _NONE)
    own: Mapping | dict[str, Any] = container.get("securityContext", _NONE)
    fields: dict[str, Any] = {"user": _user(own, of_pod), "groups": _groups(of_pod)}
    for key, name in (("readOnlyRootFilesystem", "read_only"), ("privileged", "privileged")):
        if key in own:
            fields[name] = own[key]
    if own.get("allowPrivilegeEscalation") is False:
        fields["no_new_privileges"] = True
    if own.get("procMount") == "Unmasked":
        fields["unmask"] = ["ALL"]
    elif own.get("procMount", "Default") != "Default":
        raise _wrong(own, "procMount", f'"{own["procMount"]}" is neither Default nor Unmasked')
    labels = own.get("seLinuxOptions", of_pod.get("seLinuxOptions", _NONE))
    fields["security_labels"] = [f"{kind}:{labels[kind]}" for kind in labels if labels[kind]]
    return {**fields, **_capabilities(own), **_seccomp(container, own, of_pod, context), **_apparmor(own, of_pod)}


def must_not_be_root(container: Mapping, pod: Mapping) -> bool:
    """Return whether the container must not start as root (runAsNonRoot)."""
    own, of_pod = container.get("securityContext", _NONE), pod.get("securityContext", _NONE)
    return bool(own.get("runAsNonRoot", of_pod.get("runAsNonRoot", False)))


def sysctls(pod: Mapping) -> dict[str, str]:
    """Return a pod's sysctls. Raises UsageError."""
    found: dict[str, str] = {}
    for each in pod.get("securityContext", _NONE).get("sysctls", []):
        try:
            found.update(parse_sysctls([f"{each.get('name', '')}={each.get('value', '')}"]))
        except PodpyError as error:
            raise each.wrong("name", error.message, hint=error.hint) from None
    return found


def group_of_volumes(pod: Mapping) -> int | None:
    """Return the fsGroup: the group of the volumes that podpy creates for the pod."""
    context = pod.get("securityContext", _NONE)
    return _id(context, "fsGroup") if "fsGroup" in context else None


def _user(own: Any, of_pod: Any) -> str:
    user = _first_id("runAsUser", own, of_pod)
    group = _first_id("runAsGroup", own, of_pod)
    if group is None:
        return "" if user is None else str(user)
    return f"{user or 0}:{group}"


def _groups(of_pod: Any) -> list[str]:
    groups = of_pod.get("supplementalGroups", [])
    for index, group in enumerate(groups):
        if not 0 <= group <= LARGEST_ID:
            raise groups.wrong(index, f"{group} isn't a group id")
    fs_group = [_id(of_pod, "fsGroup")] if "fsGroup" in of_pod else []
    return [str(group) for group in dict.fromkeys([*groups, *fs_group])]


def _first_id(key: str, own: Any, of_pod: Any) -> int | None:
    context = own if key in own else of_pod
    return _id(context, key) if key in context else None


def _id(context: Any, key: str) -> int:
    number: int = context[key]
    if not 0 <= number <= LARGEST_ID:
        raise _wrong(context, key, f"{number} isn't a user or group id")
    return number


def _capabilities(own: Any) -> dict[str, list[str]]:
    lists = own.get("capabilities", _NONE)
    add, drop = lists.get("add", []), lists.get("drop", [])
    try:
        check_capabilities(add, drop)
    except PodpyError as error:
        raise _wrong(own, "capabilities", error.message, hint=error.hint) from None
    return {"cap_add": list(add), "cap_drop": list(drop)}


def _seccomp(container: Mapping, own: Any, of_pod: Any, context: Context) -> dict[str, str]:
    holder = own if "seccompProfile" in own else of_pod
    if "seccompProfile" in holder:
        profile = holder["seccompProfile"]
        kind = profile.get("type", "")
        if kind in ("Unconfined", "RuntimeDefault"):
            return {"seccomp": "unconfined" if kind == "Unconfined" else ""}
        if kind != "Localhost":
            raise _wrong(profile, "type", f'"{kind}" is not a type', hint="RuntimeDefault, Localhost or Unconfined")
        return {"seccomp": _profile(profile.get("localhostProfile", ""), context, profile, "localhostProfile")}
    return _by_annotation(container, context)


def _by_annotation(container: Mapping, context: Context) -> dict[str, str]:
    """Return the profile that an annotation names, as Kubernetes did before securityContext had one."""
    own = f"{_SECCOMP_CONTAINER}{container.get('name', '')}"
    text = context.annotations.get(own, context.annotations.get(_SECCOMP_POD, ""))
    kind, slash, name = text.partition("/")
    if text in ("", "runtime/default", "docker/default"):
        return {}
    if text == "unconfined":
        return {"seccomp": text}
    if kind != "localhost" or not slash:
        raise container.wrong("", f"invalid seccomp path: {text}")
    return {"seccomp": _profile(name, context, container, "")}


def _profile(name: str, context: Context, where: Mapping, key: str) -> str:
    """Return a profile's path below --seccomp-profile-root. Raises UsageError if it doesn't exist."""
    if not name or name.startswith("/") or ".." in name.split("/"):
        raise where.wrong(key, f'"{name}" is not a path below {context.options.seccomp_root}')
    path = os.path.join(context.options.seccomp_root, name)
    if not os.path.exists(path):
        told = f"opening seccomp profile failed: open {path}: no such file or directory"
        raise where.wrong(key, told, hint="Give the profiles' directory: --seccomp-profile-root DIR")
    return path


def _apparmor(own: Any, of_pod: Any) -> dict[str, str]:
    holder = own if "appArmorProfile" in own else of_pod
    profile = holder.get("appArmorProfile", _NONE)
    kind = profile.get("type", "RuntimeDefault")
    if kind == "RuntimeDefault":
        return {}
    try:
        return {"apparmor": check_apparmor("unconfined" if kind == "Unconfined" else profile["localhostProfile"])}
    except (KeyError, PodpyError) as error:
        told = error.message if isinstance(error, PodpyError) else "it is missing"
        raise _wrong(profile, "localhostProfile", told) from None


def _wrong(where: Any, key: str, message: str, *, hint: str = "") -> Exception:
    assert isinstance(where, Mapping)
    return where.wrong(key, message, hint=hint)
