"""Credential helpers: programs `docker-credential-NAME` that keep passwords (docker/docker-credential-helpers).

Each is called with `get`, `store`, `erase` or `list`, reads from its standard input and answers in JSON.
"""

from __future__ import annotations

import os

from podpy import fastjson, process
from podpy.errors import AuthenticationError, ConfigError, NoHelperError, NotFoundError, RuntimeFailedError

TOKEN_USER = "<token>"  # a helper's way to say that the secret is an identity token
_TIMEOUT = 60.0
_NOT_FOUND = "not found"  # "credentials not found in native keychain"


def get(helper: str, server: str) -> tuple[str, str] | None:
    """Return the user (or TOKEN_USER) and the secret for a server, or None if the helper has none.

    Raises AuthenticationError if the helper fails, here and below.
    """
    text = _run(helper, "get", server)
    if text is None:
        return None
    try:
        answer = fastjson.loads(text)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError):
        username = secret = None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise AuthenticationError(f"docker-credential-{helper}: its answer can't be understood")
    return username, secret


def store(helper: str, server: str, username: str, secret: str) -> None:
    """Let the helper keep a password."""
    document = fastjson.dumps({"ServerURL": server, "Username": username, "Secret": secret})
    if _run(helper, "store", document) is None:
        raise AuthenticationError(f"docker-credential-{helper} can't store anything")


def erase(helper: str, server: str) -> bool:
    """Let the helper forget a password; return whether it had one."""
    # Most helpers succeed at erasing what isn't there, so look first.
    return get(helper, server) is not None and _run(helper, "erase", server) is not None


def servers(helper: str) -> list[str]:
    """Return the servers that the helper has passwords for."""
    try:
        listed = fastjson.loads(_run(helper, "list", "") or "{}")
    except ValueError:
        listed = None
    if not isinstance(listed, dict):
        raise AuthenticationError(f"docker-credential-{helper}: its answer can't be understood")
    return list(listed)


def _run(helper: str, action: str, text: str) -> str | None:
    """Run `docker-credential-HELPER ACTION` with `text` on its stdin; return its answer, or None if it has no entry."""
    if "/" in helper or not helper:
        raise ConfigError(f'the credential helper "{helper}" is not a name')
    command = [f"docker-credential-{helper}", action]
    try:
        done = _answer([process.find(command[0]), action], text)
    except NotFoundError:
        raise NoHelperError(
            f"{command[0]} is not installed",
            hint="Install it, or remove it from auth.json, config.json, registries.conf",
        ) from None
    except OSError as error:
        raise AuthenticationError(f"{command[0]} can't be run: {error.strerror}") from None
    except RuntimeFailedError:
        raise AuthenticationError(f"{' '.join(command)}: no answer in {_TIMEOUT:.0f} seconds") from None
    said = done.stdout.decode(errors="replace")
    if done.code == 0:
        return said
    if _NOT_FOUND in said.lower() + done.stderr.decode(errors="replace").lower():
        return None
    # What it prints isn't quoted: it might be the secret.
    raise AuthenticationError(f"{' '.join(command)} failed with exit code {done.code}")


def _answer(command: list[str], text: str) -> process.Finished:
    # In memory, and not through a pipe: a helper that reads nothing, or late, can't block us.
    request = os.memfd_create("request")
    try:
        os.write(request, text.encode())
        os.lseek(request, 0, os.SEEK_SET)
        return process.run(command, stdin=request, timeout=_TIMEOUT)
    finally:
        os.close(request)
