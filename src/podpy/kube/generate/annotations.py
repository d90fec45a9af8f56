"""Annotations of a pod: those of its containers, and Podman's own keys for settings without a Kubernetes field."""

from __future__ import annotations

from podpy.kube.generate import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.kube.generate.source import Group, Options, Source

_PODMANS = "io.podman.annotations."
_ULIMITS = "io.podman.annotations.ulimit"
_BIND_MOUNT_OPTIONS = "bind-mount-options"
_ENGINES_OWN = ("io.kubernetes.cri-o.", "io.kubernetes.cri.", "run.oci.", _PODMANS)
_UPDATES = "io.containers.autoupdate"


def of_pod(group: Group, called: dict[str, str], options: Options) -> dict[str, str]:
    """Return the pod's annotations. `called`: the containers' names in the document, by their ids.

    Kubernetes has one set for the whole pod. An annotation that all containers share keeps its key. Another's key gets
    the container's name, as Podman's keys always do: KEY/NAME, or KEY.NAME where the key has a slash already, since an
    API server takes only one. Keys that it can't take at all are omitted, unless `podman_only`.
    """
    found: dict[str, str] = {}
    keys = dict.fromkeys(key for member in group.members for key in member.spec.annotations)
    for key in keys:
        if key.startswith(_ENGINES_OWN):
            continue
        found.update(_of_all(key, group.members, called))
    for member in group.members:
        name = called[member.id]
        updates = {f"{key}/{name}": value for key, value in member.spec.labels.items() if _UPDATES in key}
        found.update(updates | _engines_own(member))
        if options.podman_only:
            found.update({f"{_PODMANS}{key}/{name}": value for key, value in _podmans(member).items() if value})
    if options.podman_only:
        found.update(_of_owner(group))
    return {key: value for key, value in found.items() if options.podman_only or names.is_key(key)}


def _of_all(key: str, members: list[Source], called: dict[str, str]) -> dict[str, str]:
    values = {called[member.id]: member.spec.annotations.get(key) for member in members}
    if len({*values.values()}) == 1:
        return {key: members[0].spec.annotations[key]}
    link = "." if "/" in key else "/"
    return {f"{key}{link}{name}": value for name, value in values.items() if value is not None}


def _engines_own(member: Source) -> dict[str, str]:
    """Return the annotations that Podman's `kube play` reads and clusters ignore: ulimits, relabelling of mounts."""
    limits = [limit for limit in member.spec.ulimits if limit not in member.usual.ulimits]
    texts = [f"{limit.name.lower()}={limit.soft}:{limit.hard}" for limit in limits]
    found = {_ULIMITS: ",".join(texts)} if texts else {}
    for mount in member.spec.mounts:
        letter = next((option for option in mount.options if option in ("z", "Z")), "")
        if mount.type == "bind" and letter:
            found[_BIND_MOUNT_OPTIONS] = f"{mount.source}:{letter}"
    return found


def _podmans(member: Source) -> dict[str, str]:
    """Return the annotations with Podman's reserved keys for one container."""
    spec = member.spec
    flags = {
        "autoremove": spec.remove,
        "init": spec.init,
        "privileged": spec.privileged,
        "publish-all": spec.publish_all,
    }
    limits = spec.resources
    return {
        **{key: "TRUE" for key, value in flags.items() if value},
        "apparmor": spec.apparmor if spec.apparmor == "unconfined" else "",
        "seccomp": spec.seccomp,
        "label": ",label=".join(spec.security_labels),
        "cid-file": spec.cidfile,
        "pids-limit": str(limits.pids_limit or ""),
        "cpuset": limits.cpuset_cpus,
        "memory-nodes": limits.cpuset_mems,
        "volumes-from": ";".join(spec.volumes_from),
    }


def _of_owner(group: Group) -> dict[str, str]:
    owner = group.infra or group.members[0]
    userns = owner.spec.userns
    own = bool(userns) and userns not in ("host", "private") and not userns.startswith(("container:", "ns:"))
    return {
        **({f"{_PODMANS}userns": userns} if own else {}),
        **({f"{_PODMANS}infra.name": group.infra_name} if group.infra_name else {}),
    }
