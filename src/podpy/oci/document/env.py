"""The environment of the container's process, in Podman's order of precedence (lowest first):

podpy's own variables, the host's proxies (`--http-proxy`), those of containers.conf, the image and the options (all in
`ContainerSpec.env`), then HOME and HOSTNAME if they are still unset.
"""

from __future__ import annotations

from podpy.spec.proxies import DEFAULT_PATH, PROXY_VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.oci.document.context import BundleContext
    from podpy.spec.container import ContainerSpec

_SOCKET_ACTIVATION = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def variables(spec: ContainerSpec, context: BundleContext) -> dict[str, str]:
    """Return the container's environment."""
    host = context.host.environment
    result = before_start(spec, {name: host[name] for name in PROXY_VARIABLES if spec.http_proxy and name in host})
    result.setdefault("HOME", context.user.home)
    if spec.uts != "host" or spec.hostname:
        result.setdefault("HOSTNAME", hostname(spec, context))
    for name in _SOCKET_ACTIVATION:
        if name in host:
            # The sockets are for the command's process (sd_listen_fds(3)): pid 1 inside, or an init's first child.
            result[name] = ("2" if spec.init else "1") if name == "LISTEN_PID" else host[name]
    result.update(context.environment)
    return result


def before_start(spec: ContainerSpec, proxies: dict[str, str]) -> dict[str, str]:
    """Return the variables that are known before the container is started."""
    result = {"PATH": DEFAULT_PATH, "container": "podman"}
    if spec.tty:
        result["TERM"] = "xterm"
    result.update(proxies)
    for name in spec.unset_env:
        result.pop(name, None)
    if spec.unset_env_all:
        result.clear()
    result.update(spec.env)
    return result


def hostname(spec: ContainerSpec, context: BundleContext) -> str:
    """Return the container's host name: the given one, else the beginning of its id."""
    return context.hostname or spec.hostname or context.container_id[:12]
