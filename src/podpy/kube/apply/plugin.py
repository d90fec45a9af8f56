"""Credential plugins: a program that a kubeconfig names prints the token or the certificate.

The protocol is client.authentication.k8s.io. The program runs as podpy's caller, and can't ask questions, since it gets
no terminal. podpy doesn't store its answer.
"""

from __future__ import annotations

from podpy import fastjson, process
from podpy.errors import ConfigError, NotFoundError, RuntimeFailedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podpy.kube.apply.kubeconfig import Access

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_FIELDS = ("token", "clientCertificateData", "clientKeyData")
_LONGEST = 60  # seconds: it may ask a remote service


def resolved(access: Access, environ: Mapping[str, str]) -> Access:
    """Return the access with its plugin's credentials; unchanged if it has no plugin. Raises ConfigError."""
    if not access.plugin:
        return access
    version, command = access.plugin.get("apiVersion"), str(access.plugin.get("command") or "")
    who = f"user {access.user_name}: {command}"
    if version not in _VERSIONS:
        raise ConfigError(f"{who}: a credential plugin of {version}, which podpy doesn't know")
    status = _answer(access.plugin, who, environ)
    token, certificate, key = (str(status.get(name) or "") for name in _FIELDS)
    if not token and not (certificate and key):
        raise ConfigError(f"{who}: it prints neither a token nor a certificate with its key")
    return access.replace(
        token=token or access.token,
        certificate=certificate.encode() or access.certificate,
        key=key.encode() or access.key,
    )


def _answer(plugin: dict[str, Any], who: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the status of the ExecCredential that the program prints."""
    asked = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
    own = {str(pair.get("name")): str(pair.get("value")) for pair in plugin.get("env") or ()}
    environment = {**environ, **own, "KUBERNETES_EXEC_INFO": fastjson.dumps(asked)}
    hint = str(plugin.get("installHint") or "").strip().partition("\n")[0]
    try:
        words = [process.find(str(plugin.get("command") or "")), *map(str, plugin.get("args") or ())]
        done = process.run(words, environment=environment, timeout=_LONGEST)
    except NotFoundError as error:
        raise ConfigError(f"{who}: no such program", hint=hint) from error
    except RuntimeFailedError as error:
        raise ConfigError(f"{who}: no answer after {_LONGEST} s", hint=hint) from error
    except OSError as error:
        raise ConfigError(f"{who}: {error.strerror}", hint=hint) from error
    if done.code:
        raise ConfigError(f"{who} ended with {done.code}: {done.error_text() or 'it said nothing'}", hint=hint)
    try:
        status = fastjson.loads(done.stdout.decode())["status"]
    except (ValueError, KeyError, TypeError):
        status = None
    if not isinstance(status, dict):
        raise ConfigError(f"{who}: its output isn't an ExecCredential with a status")
    return status
