"""What a client sends along with a build: the context, and credentials for registries."""

from __future__ import annotations

import base64
import binascii
import os

from podpy import beneath, fastjson
from podpy.api.errors import HttpError
from podpy.build.context.fetch import fetch
from podpy.build.sources import STDIN
from podpy.errors import BrokenTarError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.build.context.fetch import Fetched

_CONFIG = "x-registry-config"
_DOCKER_HUB = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")


def context(call: Call) -> Fetched:
    """Return the context: the archive in the body, or what `remote` names. It goes when this process does.

    Nothing in it leads out of it, and no Dockerfile comes from elsewhere. Raises HttpError, and as `fetch`.
    """
    engine = call.runtime
    engine.enter()
    target = engine.store.staging.new_path("context")
    os.mkdir(target, 0o700)
    remote = call.query["remote"]
    if remote and remote != "client-session":
        fetched = fetch(remote, target, engine.caller.environ)
    else:
        body = call.connection.body_pipe()
        try:
            fetched = fetch(STDIN, target, engine.caller.environ, body)
        except (BrokenTarError, StorageError) as error:
            raise HttpError(500, f"Error processing tar file: {error.message}") from None
        finally:
            os.close(body)
    return fetched.replace(files=fetched.directory)


def is_there(fetched: Fetched, name: str) -> bool:
    """Return whether a context has a file of this name."""
    return os.path.isfile(beneath.place_in(fetched.directory, name))


def authfile(call: Call) -> str:
    """Return the path of a file with the credentials of X-Registry-Config, in the memory of this process; "" if there
    are none. Raises HttpError.
    """
    text = call.request.headers.get(_CONFIG, "")
    if not text:
        return ""
    try:
        said = fastjson.loads_strict(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise HttpError(400, f"bad parameter: {_CONFIG} isn't JSON in base64") from None
    auths = {_key(host): _entry(each) for host, each in said.items()} if isinstance(said, dict) else {}
    found = {host: entry for host, entry in auths.items() if entry}
    if not found:
        return ""
    return InMemory(fastjson.dumps({"auths": found}).encode("utf-8", "surrogateescape")).path


class InMemory:
    """A file without a name on disk. `path`: where this process, and those that it forks, find it until `close`."""

    def __init__(self, content: bytes) -> None:
        self._descriptor = os.memfd_create("secret", os.MFD_CLOEXEC)
        self.path = f"/proc/self/fd/{self._descriptor}"
        while content:
            content = content[os.write(self._descriptor, content) :]

    def close(self) -> None:
        """Give the memory back."""
        os.close(self._descriptor)


def entry(name: str, password: str) -> dict[str, str]:
    """Return a login as containers-auth.json(5) has it."""
    return {"auth": base64.b64encode(f"{name}:{password}".encode("utf-8", "surrogateescape")).decode()}


def _key(host: str) -> str:
    return "docker.io" if host in _DOCKER_HUB else host.removeprefix("https://").removeprefix("http://").strip("/")


def _entry(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        return {}
    name, password = given.get("username") or "", given.get("password") or ""
    if name and password:
        return entry(name, password)
    known = {"auth": given.get("auth"), "identitytoken": given.get("identitytoken")}
    return {key: value for key, value in known.items() if isinstance(value, str) and value}
