"""Requests to a cluster's API server (Kubernetes: "API Concepts", "Server-Side Apply")."""

from __future__ import annotations

from base64 import b64encode

from podpy import fastjson
from podpy.errors import ClusterError, shorten
from podpy.http.curl import HTTPError, Lines, Request, Response
from podpy.http.proxies import proxy_for
from podpy.http.trust import Trust, with_details
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.kube.apply.kubeconfig import Access

    Document = dict[str, Any]

MANAGER = "podpy"
"""The owner of podpy's fields, in an object's managedFields."""
_APPLY = "application/apply-patch+yaml"  # JSON is YAML
_MOST = 4 << 20  # bytes of an answer
_LONGEST = 1000  # characters of a server's text to show
_CORE = "v1"


class Cluster:
    """A cluster's API server, as one user. A context: it keeps its connection until the end."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lines = Lines()
        self._kinds: dict[str, dict[str, Document]] = {}

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()

    def apply(self, document: Document, namespace: str = "") -> None:
        """Create an object, or change it, to match the document; fields that others own stay theirs.

        `namespace`: empty: the document's, else the context's. Raises ClusterError with the server's words.
        """
        version, kind, data = document["apiVersion"], document["kind"], document["metadata"]
        resource = self._resource(version, kind)
        path = _root(version)
        if resource.get("namespaced"):
            own = data.get("namespace")
            if own and namespace and own != namespace:
                raise ClusterError(f'{kind} {data["name"]}: its namespace is "{own}", but --ns is "{namespace}"')
            path += f"/namespaces/{_quoted(namespace or own or self._access.namespace)}"
        path += f"/{resource['name']}/{_quoted(data['name'])}"
        body = fastjson.dumps(_wanted(document)).encode()
        self._ask("PATCH", f"{path}?fieldManager={MANAGER}", body)

    def _resource(self, version: str, kind: str) -> Document:
        """Return the server's APIResource of a kind: its name in paths, and whether it is namespaced."""
        if version not in self._kinds:
            found = self._ask("GET", _root(version)).get("resources") or ()
            named = [one for one in found if isinstance(one, dict) and isinstance(one.get("name"), str)]
            self._kinds[version] = {str(one.get("kind")): one for one in named if "/" not in one["name"]}
        if kind not in self._kinds[version]:
            raise ClusterError(f'no matches for kind "{kind}" in version "{version}"')
        return self._kinds[version][kind]

    def _ask(self, method: str, path: str, body: bytes = b"") -> Document:
        access = self._access
        headers = {"User-Agent": f"{MANAGER}/{VERSION}", "Accept": "application/json", **access.impersonated}
        if access.token:
            headers["Authorization"] = f"Bearer {access.token}"
        elif access.user:
            headers["Authorization"] = f"Basic {b64encode(f'{access.user}:{access.password}'.encode()).decode()}"
        if body:
            headers["Content-Type"] = _APPLY
        server, place = _place(access)
        if place:
            headers["Host"] = place
        request = Request(
            method=method,
            url=server + path,
            headers=headers,
            trust=_trust(access),
            proxy=_proxy(access),
            place=place,
            size=len(body),
            chunks=lambda: (body,),
        )
        try:
            response = Response(self._lines, request)
            return self._answer(response, path)
        except HTTPError as error:
            raise self._unreachable(error) from error

    def _answer(self, response: Response, path: str) -> Document:
        data = bytearray()
        for piece in response.stream():
            data += piece
            if len(data) > _MOST:
                response.close()
                raise ClusterError(f"{self._access.server}: an answer of more than {_MOST} bytes")
        try:
            found = fastjson.loads(bytes(data).decode())
        except (ValueError, RecursionError):
            found = None
        document: Document = found if isinstance(found, dict) else {}
        if response.status in (200, 201) and document:
            return document
        message = shorten(" ".join(str(document.get("message") or "").split()), _LONGEST)
        raise self._refused(response.status, message, path)

    def _refused(self, status: int, message: str, path: str) -> ClusterError:
        server, user = self._access.server, self._access.user_name
        if status == 401:
            hint = (
                f'Renew the credentials of the user "{user}" in the kubeconfig'
                if user
                else "The kubeconfig has no user"
            )
            return ClusterError(f"{server}: {message or 'Unauthorized'}", hint=hint)
        if status == 409 and message:
            return ClusterError(message, hint="kubectl apply --server-side --force-conflicts takes the fields over")
        if status == 404 and not message:
            return ClusterError(f"{server}: it has no {path.partition('?')[0]}")
        return ClusterError(message or f"{server}: it answers {status}, but not as Kubernetes does")

    def _unreachable(self, error: HTTPError) -> ClusterError:
        server = self._access.server
        if error.is_proxy:
            return ClusterError(f"{server}: the proxy failed: {error.reason}", hint="Check proxy-url, and HTTPS_PROXY")
        if error.is_untrusted:
            return ClusterError(
                f"{server}: its certificate isn't trusted: {error.reason}",
                hint="Give the cluster's authority: --ca-cert-file FILE; --ca-cert-file insecure checks nothing",
            )
        if error.is_refused or error.is_unusable:
            return ClusterError(f"{server}: the client's certificate or its key is wrong: {error.reason}")
        return ClusterError(f"{server}: {error.reason}", hint="Check the server in the kubeconfig")


def _trust(access: Access) -> Trust:
    trust = Trust(
        is_checked=access.is_checked,
        authorities=access.authorities,
        only_those=bool(access.authorities),
        own=(access.certificate, access.key) if access.certificate else None,
    )
    return with_details(trust)


def _place(access: Access) -> tuple[str, str]:
    """Return the address, with the host's name in the server's certificate, and the host and port to connect to."""
    if not access.server_name:
        return access.server, ""
    scheme, _, rest = access.server.partition("://")
    place, slash, path = rest.partition("/")
    usual = "443" if scheme == "https" else "80"
    port = place.rpartition(":")[2] if ":" in place.rpartition("]")[2] else usual
    host = place.removesuffix(f":{port}")
    return f"{scheme}://{access.server_name}:{port}{slash}{path}", f"{host}:{port}"


def _proxy(access: Access) -> str:
    if access.proxy is not None:
        return access.proxy
    scheme, _, rest = access.server.partition("://")
    return proxy_for(scheme, rest.partition("/")[0])


def _root(version: str) -> str:
    return f"/api/{version}" if version == _CORE else f"/apis/{'/'.join(map(_quoted, version.split('/')))}"


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _wanted(document: Document) -> Document:
    """Return the document without the fields that only a server sets."""
    data = {key: value for key, value in document["metadata"].items() if key not in _SERVERS_OWN}
    wanted = {**document, "metadata": data}
    wanted.pop("status", None)
    template = (wanted.get("spec") or {}).get("template") if isinstance(wanted.get("spec"), dict) else None
    if isinstance(template, dict) and isinstance(template.get("metadata"), dict):
        inner = {key: value for key, value in template["metadata"].items() if key not in _SERVERS_OWN}
        wanted["spec"] = {**wanted["spec"], "template": {**template, "metadata": inner}}
    return wanted


_SERVERS_OWN = ("creationTimestamp", "managedFields", "resourceVersion", "uid", "generation", "selfLink")
