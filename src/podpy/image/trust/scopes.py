"""The scopes of an image in policy.json and registries.d, most specific first, without the default scope ""."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.names.reference import Reference


def docker_scopes(reference: Reference) -> list[str]:
    """Return the scopes of a full name: itself, its repository, each namespace, host[:port], `*.domain` wildcards.

    A name with tag and digest counts by its digest. The host's scope has its port; wildcards have none.
    """
    whole = reference.with_default_tag().without_tag_if_digest()
    found = [str(whole)]
    name = whole.name
    while name:
        found.append(name)
        name = name.rpartition("/")[0]
    _, dot, domain = whole.domain.partition(":")[0].partition(".")
    while dot:
        found.append(f"*.{domain}")
        _, dot, domain = domain.partition(".")
    return found


def path_scopes(path: str) -> list[str]:
    """Return the scopes of an archive or directory (oci, oci-archive, dir): its real path and the directories above.

    An empty path (standard input) has none.
    """
    found = []
    current = os.path.realpath(path) if path else "/"
    while current != "/":
        found.append(current)
        current = os.path.dirname(current)
    return found


def storage_scopes(driver: str, graphroot: str, reference: Reference | None, image_id: str = "") -> list[str]:
    """Return the scopes of an image in a containers-storage store: `[driver@graphroot]name@id` and those above."""
    store = f"[{driver}@{graphroot}]"
    identity = f"@{image_id}" if image_id else ""
    found = []
    if reference is not None:
        if identity:
            found.append(f"{store}{reference}{identity}")
        found.append(f"{store}{reference}")
        if reference.tag and reference.digest:
            found.append(f"{store}{reference.name}:{reference.tag}")
        name = reference.name
        while name:
            found.append(store + name)
            name = name.rpartition("/")[0]
    elif identity:
        found.append(store + identity)
    return [*found, store, f"[{graphroot}]"]
