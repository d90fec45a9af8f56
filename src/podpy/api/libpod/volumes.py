"""Volumes and secrets on Podman's paths."""

from __future__ import annotations

import os

from podpy.api.call import NOTHING, Answer
from podpy.api.compat.files import send
from podpy.api.errors import HttpError
from podpy.api.libpod import answers
from podpy.errors import NoSuchSecretError
from podpy.go.view import volume_view
from podpy.libpod.secrets import SIZE_LIMIT, keep_memory_private
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.libpod.secrets import Secret


def listed(call: Call) -> Answer:
    """List volumes."""
    volumes = call.runtime.volumes
    return answers.go([volume_view(each) for each in volumes.facts(volumes.list(call.query["filters"]))])


def create(call: Call) -> Answer:
    """Create a volume."""
    body = call.json()
    made = call.runtime.volumes.create(
        body.get("Name") or "",
        labels=body.get("Labels") or body.get("Label") or {},
        options=body.get("Options") or {},
        driver=body.get("Driver") or "local",
        uid=body.get("UID"),
        gid=body.get("GID"),
        ignore=bool(body.get("IgnoreIfExists")),
    )
    return answers.go(volume_view(call.runtime.volumes.inspect(made.name)), 201)


def inspect(call: Call) -> Answer:
    """Return everything about a volume."""
    return answers.go(volume_view(call.runtime.volumes.inspect(call.path["name"])))


def exists(call: Call) -> Answer:
    """Say whether there is such a volume."""
    return answers.exists(call.runtime.volumes.exists(call.path["name"]), "volume")


def remove(call: Call) -> Answer:
    """Remove a volume."""
    call.runtime.volumes.remove(call.path["name"], force=call.query["force"], timeout=call.query["timeout"])
    return Answer(status=NOTHING)


def prune(call: Call) -> Answer:
    """Remove the volumes that nobody uses; those with a name only with the filter all=true, as Podman 6."""
    given = call.query["filters"]
    filters = [text for text in given if not text.startswith("all=")]
    every = any(text in ("all=true", "all=1") for text in given)
    return answers.pruned(call.runtime.volumes.prune(filters, every=every))


def export(call: Call) -> None:
    """Send a tar of a volume's files."""
    call.runtime.volumes.get(call.path["name"])
    send(call, lambda out: call.runtime.volumes.export(call.path["name"], out), "application/x-tar")


def import_(call: Call) -> Answer:
    """Unpack a tar into a volume."""
    call.runtime.volumes.get(call.path["name"])
    source = call.connection.body_pipe()
    try:
        call.runtime.volumes.import_(call.path["name"], source)
    finally:
        os.close(source)
    return Answer(status=NOTHING)


# Secrets


def create_secret(call: Call) -> Answer:
    """Store a secret; the body is its data."""
    query = call.query
    keep_memory_private()
    data = call.connection.read_body(SIZE_LIMIT)
    options, labels = query["driveropts"] or {}, query["labels"] or {}
    for name, value in (("driveropts", options), ("labels", labels)):
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise HttpError(400, f"{name} must be a JSON object of texts")
    if not query["name"]:
        raise HttpError(400, "name is required: the name of the secret")
    made = call.runtime.secrets.create(
        query["name"],
        data,
        driver=query["driver"],
        options=options,
        labels=labels,
        replace=query["replace"],
        ignore=query["ignore"],
    )
    return Answer({"ID": made.id})


def secrets(call: Call) -> Answer:
    """List secrets, without their data."""
    return Answer([_shown(each) for each in call.runtime.secrets.list(call.query["filters"])])


def inspect_secret(call: Call) -> Answer:
    """Describe a secret; with `showsecret`, show its data."""
    secret = _find(call)
    shown = _shown(secret)
    if call.query["showsecret"]:
        keep_memory_private()
        shown["SecretData"] = call.runtime.secrets.data(secret.id).decode(errors="replace")
    return Answer(shown)


def secret_exists(call: Call) -> Answer:
    """Say whether there is such a secret."""
    return answers.exists(call.runtime.secrets.exists(call.path["name"]), "secret")


def remove_secret(call: Call) -> Answer:
    """Remove a secret."""
    call.runtime.secrets.remove(_find(call).id)
    return Answer(status=NOTHING)


def _find(call: Call) -> Secret:
    name = call.path["name"]
    try:
        return call.runtime.secrets.get(name)
    except NoSuchSecretError as error:
        raise NoSuchSecretError(f'no secret with name or id "{name}": no such secret', hint=error.hint) from None


def _shown(secret: Secret) -> dict[str, Any]:
    return {
        "ID": secret.id,
        "CreatedAt": rfc3339(secret.created),
        "UpdatedAt": rfc3339(secret.updated),
        "Spec": {
            "Name": secret.name,
            "Driver": {"Name": secret.driver, "Options": secret.options},
            "Labels": secret.labels,
        },
    }
