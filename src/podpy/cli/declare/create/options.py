"""The options of `create` and `run`: everything that describes a container."""

from __future__ import annotations

from podpy.cli.declare.common import CREDS, TLS_VERIFY, detach_keys
from podpy.cli.declare.create.health import CREATE_HEALTH
from podpy.cli.declare.create.limits import CREATE_LIMITS
from podpy.cli.declare.model import (
    CONTAINERS,
    DIRECTORIES,
    FILES,
    NETWORKS,
    PODS,
    SECRETS,
    SIGNALS,
    UINTS,
    Option,
    count,
    flag,
    listed,
    many,
    text,
    under,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

_ENCRYPTED = "podpy can't decrypt images"
_LINK_LOCAL = "Podman has no such addresses, either: use --ip, or a network with a range of its own"
_KERNEL = "Linux dropped it: use --memory"

_PROCESS: tuple[Option, ...] = (
    text("--entrypoint", "COMMAND", "Command to run instead of the image's entrypoint: text or a JSON list"),
    many("--env -e", "KEY[=VALUE]", "Environment variable; without a value: the caller's"),
    many("--env-file", "FILE", "Environment variables from a file, one a line", complete=FILES),
    flag("--env-host", "Give the container the caller's whole environment"),
    many("--env-merge", "KEY=VALUE", "Environment variable that may use the image's: PATH=${PATH}:/more"),
    many("--unsetenv", "KEY", "Leave out one of the image's or podpy's environment variables"),
    flag("--unsetenv-all", "Leave out all environment variables of the image and of podpy"),
    flag("--http-proxy", "Pass the caller's proxy variables on", default=True),
    text("--workdir -w", "DIR", "Working directory inside the container"),
    text("--user -u", "USER[:GROUP]", "Who runs the command: names or numbers of the container"),
    listed("--group-add", "GROUP", "Additional group; keep-groups: the caller's"),
    text("--umask", "MASK", "File mode mask, octal", default="0022"),
    text("--tz", "ZONE", "Time zone: an area/city, or local"),
    flag("--tty -t", "Give the container a terminal"),
    flag("--interactive -i", "Keep standard input open"),
    flag("--init", "Start a small init that passes signals on and reaps processes"),
    text("--init-path", "PATH", "The init for --init", complete=FILES),
    text("--stop-signal", "SIGNAL", "Signal that asks the container to stop", complete=SIGNALS),
    count("--stop-timeout", "SECONDS", "How long a stop waits before it kills", default=10),
    count("--timeout", "SECONDS", "Kill the container after this time; 0: never"),
    text("--systemd", "MODE", "Prepare for systemd as the container's command: true, false, always", default="true"),
    text("--personality", "NAME", "Execution domain", choices=("LINUX", "LINUX32")),
    text("--passwd-entry", "LINE", "The line for /etc/passwd; $USERNAME, $UID … stand for what they are"),
    text("--group-entry", "LINE", "The line for /etc/group; $GROUPNAME, $GID, $USERLIST likewise"),
    listed("--hostuser", "USER", "User of the host to add to /etc/passwd"),
)

_IDENTITY: tuple[Option, ...] = (
    text("--name", "NAME", "The container's name; without it podpy makes one up"),
    flag("--replace", "Remove a container that already has this name first"),
    text("--hostname -h", "NAME", "Host name inside the container"),
    many("--label -l", "KEY=VALUE", "Label (repeatable)"),
    many("--label-file", "FILE", "Labels from a file, one a line", complete=FILES),
    many("--annotation", "KEY=VALUE", "Annotation for the OCI runtime (repeatable)"),
    text("--cidfile", "FILE", "Write the container's id to this new file", complete=FILES),
    text("--pidfile", "FILE", "Write the process id of the container's first process to this file", complete=FILES),
    text("--conmon-pidfile", "FILE", "Write the monitor's process id to this file", complete=FILES),
    text("--pod", "POD", "Make it in this pod; new:NAME makes the pod first", complete=PODS),
    text("--pod-id-file", "FILE", "Make it in the pod whose id this file has", complete=FILES),
    text("--init-ctr", "TYPE", "Make it an init container of the pod: always, once"),
    listed("--requires", "CONTAINER", "Containers to start first", complete=CONTAINERS),
)

_IMAGE: tuple[Option, ...] = (
    text(
        "--pull", "POLICY", "When to pull the image", default="missing", choices=("always", "missing", "never", "newer")
    ),
    text("--platform", "OS/ARCH[/VARIANT]", "Platform of the image"),
    text("--arch", "ARCH", "Architecture of the image", aliases=("--override-arch",)),
    text("--os", "OS", "Operating system of the image", aliases=("--override-os",)),
    text("--variant", "VARIANT", "Variant of the image's architecture", aliases=("--override-variant",)),
    flag("--rootfs", "The first argument is a directory, not an image"),
    flag("--quiet -q", "Say nothing while pulling"),
    text("--authfile", "FILE", "File with the registry's credentials", complete=FILES, env="REGISTRY_AUTH_FILE"),
    CREDS,
    text("--cert-dir", "DIR", "Directory with TLS certificates for the registry", complete=DIRECTORIES),
    TLS_VERIFY,
    count("--retry", "N", "How often to try pulling again", default=3),
    text("--retry-delay", "DURATION", "How long to wait before trying again"),
    many("--decryption-key", "KEY", "Key for an encrypted image", refuse=_ENCRYPTED),
    text("--signature-policy", "FILE", "policy.json to use", hidden=True),
    flag("--disable-content-trust", "Accepted for Docker's scripts; does nothing"),
)

_FILES: tuple[Option, ...] = (
    many("--volume -v", "[SOURCE:]TARGET[:OPTIONS]", "Mount a directory or a volume", complete=FILES),
    many("--mount", "type=TYPE,…", "Mount: bind, volume, tmpfs, image, artifact, glob, ramfs, devpts"),
    many("--tmpfs", "DIR[:OPTIONS]", "Mount a temporary file system"),
    many("--volumes-from", "CONTAINER[:OPTIONS]", "Mount what another container mounts", complete=CONTAINERS),
    text(
        "--image-volume",
        "MODE",
        "What to do with the image's volumes",
        default="anonymous",
        choices=("anonymous", "bind", "tmpfs", "ignore"),
    ),
    flag("--read-only", "Make the root file system read-only"),
    flag("--read-only-tmpfs", "With --read-only: keep /run, /tmp and /var/tmp writable", default=True),
    text("--shm-size", "SIZE", "Size of /dev/shm, such as 64m"),
    text("--shm-size-systemd", "SIZE", "Size of /run in systemd mode"),
    listed("--chrootdirs", "DIR", "Directory that gets podpy's files of /etc, too"),
    many(
        "--secret",
        "SECRET[,type=TYPE][,…]",
        "Give a secret: a file in /run/secrets, or type=env; target=, uid=, gid=, mode=",
        complete=SECRETS,
    ),
)

_RIGHTS: tuple[Option, ...] = (
    listed("--cap-add", "CAPABILITY", "Capability to add"),
    listed("--cap-drop", "CAPABILITY", "Capability to drop; all: every one"),
    flag("--privileged", "Give all capabilities and devices, hide nothing"),
    many("--security-opt", "OPTION", "no-new-privileges, seccomp=, seccomp-allow=, label=, mask=, unmask=, proc-opts="),
    text("--seccomp-policy", "POLICY", "Which seccomp profile: default, image", default="default"),
    many("--device", "HOST[:INSIDE[:rwm]]", "Device of the host, or CDI's VENDOR/CLASS=NAME", complete=FILES),
    listed("--device-cgroup-rule", "RULE", "Rule for devices in the cgroup"),
    listed("--gpus", "GPU", "GPUs, described by CDI: all, or a name"),
    listed("--sysctl", "KEY=VALUE", "Kernel parameter of the container's namespaces"),
    flag("--passwd", "Add the container's user to /etc/passwd", default=True),
)

_NAMESPACES: tuple[Option, ...] = (
    text("--pid", "MODE", "Process id namespace: private, host, container:NAME, ns:PATH"),
    text("--ipc", "MODE", "IPC namespace: private, shareable, none, host, container:NAME, ns:PATH"),
    text("--uts", "MODE", "Host name namespace: private, host, container:NAME, ns:PATH"),
    text("--cgroupns", "MODE", "Cgroup namespace: private, host, container:NAME, ns:PATH"),
    text(
        "--userns",
        "MODE",
        "User namespace: host, keep-id[:…], nomap, auto[:…], container:NAME, ns:PATH",
        env="PODMAN_USERNS",
    ),
    listed("--uidmap", "INSIDE:OUTSIDE:SIZE", "Line of the user id map"),
    listed("--gidmap", "INSIDE:OUTSIDE:SIZE", "Line of the group id map"),
    text("--subuidname", "NAME", "Range of /etc/subuid for the user namespace"),
    text("--subgidname", "NAME", "Range of /etc/subgid for the user namespace"),
)

_NETWORK: tuple[Option, ...] = (
    many(
        "--network",
        "MODE",
        "none, host, pasta[:…], slirp4netns[:…], container:NAME, ns:PATH, bridge, or networks: NAME[:ip=…,alias=…]",
        aliases=("--net",),
        complete=NETWORKS,
    ),
    listed("--publish -p", "[[IP:]HOST:]PORT[/PROTOCOL]", "Publish a port or a range"),
    flag("--publish-all -P", "Publish every exposed port on a free port"),
    listed("--expose", "PORT[/PROTOCOL]", "Expose a port or a range"),
    listed("--dns", "ADDRESS", "Name server"),
    listed("--dns-search", "DOMAIN", "Search domain; '.': none"),
    listed("--dns-option", "OPTION", "Option for resolv.conf", aliases=("--dns-opt",)),
    listed("--add-host", "HOST:ADDRESS", "Line for /etc/hosts"),
    flag("--no-hosts", "Leave /etc/hosts as the image has it"),
    flag("--no-hostname", "Leave /etc/hostname as the image has it"),
    text("--hosts-file", "FILE", "What /etc/hosts starts from: a file, image, none"),
    text("--ip", "ADDRESS", "Fixed IPv4 address in the network"),
    text("--ip6", "ADDRESS", "Fixed IPv6 address in the network"),
    text("--mac-address", "ADDRESS", "Fixed hardware address"),
    listed("--network-alias", "NAME", "Additional name in the networks"),
)

_LIFE: tuple[Option, ...] = (
    flag("--rm", "Remove the container, and its anonymous volumes, when it ends"),
    text("--restart", "POLICY", "no, on-failure[:N], always, unless-stopped"),
    text("--log-driver", "DRIVER", "Where output goes: k8s-file, json-file, journald, passthrough, none"),
    many("--log-opt", "KEY=VALUE", "Option for the log: path, max-size (100m), max-file, tag"),
    listed("--attach -a", "STREAM", "Attach to stdin, stdout or stderr"),
    text(
        "--sdnotify",
        "MODE",
        "Who tells systemd that the container is ready",
        default="container",
        choices=("container", "conmon", "healthy", "ignore"),
    ),
    flag("--explain", "Print what would be done, step by step, and do nothing"),
    flag("--trace", "Say on standard error how long each step took"),
)

_DOCKER_ONLY: tuple[Option, ...] = (
    text("--kernel-memory", "SIZE", "Docker's", hidden=True, refuse=_KERNEL),
    text("--link", "CONTAINER", "Docker's", hidden=True, refuse="Podman has no links: use --network container:NAME"),
    text("--volume-driver", "NAME", "Docker's", hidden=True, refuse="podpy has no volume plugins"),
    text("--domainname", "NAME", "Docker's", hidden=True, refuse="use --hostname with the full name"),
    text("--isolation", "MODE", "Docker's", hidden=True, refuse="it is for Windows"),
    text("--link-local-ip", "ADDRESS", "Docker's", hidden=True, refuse=_LINK_LOCAL),
    flag("--use-api-socket", "Docker's", hidden=True, refuse="podpy has no API socket"),
)

CREATE_OPTIONS: tuple[Option, ...] = (
    *under("Command", _PROCESS),
    *under("Name and files", _IDENTITY),
    *under("Image", _IMAGE),
    *under("Mounts", _FILES),
    *under("Rights", _RIGHTS),
    *under("Namespaces", _NAMESPACES),
    *under("Limits", CREATE_LIMITS),
    *under("Network", _NETWORK),
    *under("Health", CREATE_HEALTH),
    *under("Life", _LIFE),
    *_DOCKER_ONLY,
)

_RUN_ONLY: tuple[Option, ...] = (
    flag("--detach -d", "Run in the background and print the container's id"),
    detach_keys(),
    flag("--sig-proxy", "Pass signals on to the container", default=True),
    count("--preserve-fds", "N", "Pass N more open files on, from descriptor 3"),
    Option(names=("--preserve-fd",), kind=UINTS, metavar="N[,N]", help="Pass these open files on"),
    flag("--rmi", "Remove the image too when nothing else uses it (implies --rm)"),
)

RUN_OPTIONS: tuple[Option, ...] = (
    *(option for option in CREATE_OPTIONS if option.names[0] != "--init-ctr"),
    *under("Life", _RUN_ONLY),
)


def of_run(names: Collection[str]) -> tuple[Option, ...]:
    """Return the options of `run` with these names, for another command that has them, too."""
    return tuple(option for option in RUN_OPTIONS if option.names[0] in names)
