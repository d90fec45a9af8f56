"""The commands that play Kubernetes YAML, and remove what it made."""

from __future__ import annotations

from podpy.cli.declare.create.options import of_run
from podpy.cli.declare.model import (
    DIRECTORIES,
    FILES,
    NETWORKS,
    Argument,
    Command,
    flag,
    listed,
    many,
    text,
    under,
)

GROUPS = {"play": "Kubernetes YAML, by Podman's older name"}

_FILES = Argument(name="files", metavar="FILE|URL|-", many=True, complete=FILES)

_WHAT = (
    flag("--replace", "First remove the pods and secrets of the file that are there"),
    flag("--start", "Start the pods", default=True),
    flag("--wait -w", "Wait until the pods have ended, or Ctrl-C, and remove everything"),
    many("--configmap", "FILE", "File with ConfigMaps for the pods (repeatable)", complete=FILES),
    text(
        "--validate",
        "MODE",
        "What becomes of fields that aren't known",
        default="warn",
        choices=("strict", "warn", "ignore"),
    ),
    flag("--multiple-pods", "As many pods as a Deployment has replicas"),
    flag("--no-pod-prefix", "A container's name is its own, without the pod's in front"),
    many("--annotation", "KEY=VALUE", "Annotation of pods and containers (repeatable)"),
    many("--label", "KEY=VALUE", "Label of pods and containers (repeatable)"),
    flag("--down", "Remove what the file asks for, as kube down does", hidden=True),
    flag("--force", "With --down: also the volumes of claims"),
    flag(
        "--build",
        "Build all images that have a directory of their name with a Containerfile or Dockerfile "
        "(default: those that aren't in the store; --build=false: none)",
    ),
    text("--context-dir", "DIR", "Where these directories are (default: here)", complete=DIRECTORIES),
    flag("--service-container", "Run a container that ends with the pods, for a service manager", hidden=True),
    text(
        "--service-exit-code-propagation",
        "MODE",
        "When that container fails: if one of the others has, or all",
        default="none",
        choices=("none", "any", "all"),
        hidden=True,
    ),
    flag("--no-trunc", "Annotations are never cut", hidden=True),
)
_NETWORK = (
    many("--network", "MODE", "Network or network mode of the pods", aliases=("--net",), complete=NETWORKS),
    listed("--ip", "ADDRESS", "Fixed IPv4 addresses: the first pod's, the second's …"),
    listed("--mac-address", "ADDRESS", "Fixed hardware addresses, likewise"),
    listed("--publish", "[[IP:]HOST:]PORT[/PROTOCOL]", "Publish a port, in place of the file's hostPort"),
    flag("--publish-all", "Publish every containerPort"),
    flag("--no-hosts", "Leave /etc/hosts as the images have it"),
    flag("--no-hostname", "Leave /etc/hostname as the images have it"),
)
_REST = (
    *of_run(("--log-driver", "--log-opt")),
    text("--userns", "MODE", "User namespace: host, keep-id[:…], nomap, auto[:…]"),
    text(
        "--seccomp-profile-root", "DIR", "Where the file's seccomp profiles are (default: /var/lib/kubelet/seccomp)",
        complete=DIRECTORIES,
    ),
)  # fmt: skip
_IMAGES = of_run("--quiet --authfile --creds --cert-dir --tls-verify --signature-policy".split())

COMMANDS: tuple[Command, ...] = (
    Command(
        path="kube play",
        aliases=("play kube",),
        handler="podpy.cli.commands.kube.play:play",
        help="Make and start the pods of Kubernetes YAML",
        description="Pod, Deployment, DaemonSet, Job, PersistentVolumeClaim, ConfigMap, Secret and List are taken; "
        "other kinds are left out.",
        examples=(
            "podpy kube play shop.yaml",
            "podpy kube play --replace --configmap settings.yaml shop.yaml",
            "podpy kube play --build shop.yaml  # images of ./NAME/Containerfile",
            "podpy kube play --publish 8080:80 --validate=strict - < shop.yaml",
            "podpy kube play https://k8s.io/examples/pods/simple-pod.yaml",
        ),
        arguments=(_FILES,),
        options=(
            *under("Pods", _WHAT),
            *under("Network", _NETWORK),
            *under("Containers", _REST),
            *under("Images", _IMAGES),
        ),
    ),
    Command(
        path="kube down",
        handler="podpy.cli.commands.kube.play:down",
        help="Remove the pods and secrets of Kubernetes YAML",
        description="Volumes stay, except those that only the pods had.",
        examples=("podpy kube down shop.yaml", "podpy kube down --force shop.yaml  # with the claims' volumes"),
        arguments=(_FILES,),
        options=(flag("--force", "Also remove the volumes of claims"),),
    ),
)
