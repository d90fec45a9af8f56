"""The commands about Kubernetes YAML."""

from __future__ import annotations

from podpy.cli.declare.model import CONTAINERS, FILES, Argument, Command, flag, number, text

GROUPS = {"kube": "Kubernetes YAML"}

COMMANDS: tuple[Command, ...] = (
    Command(
        path="kube generate",
        aliases=("generate kube",),
        handler="podpy.cli.commands.kube.generate:run",
        help="Print containers, pods and volumes as Kubernetes YAML",
        description="Containers become one Pod, a pod a Pod, a volume a PersistentVolumeClaim.",
        examples=(
            "podpy kube generate web",
            "podpy kube generate --service --type deployment --replicas 3 web | kubectl apply -f -",
            "podpy kube generate -f shop.yaml data web",
        ),
        arguments=(Argument(name="names", metavar="CONTAINER|POD|VOLUME", many=True, complete=CONTAINERS),),
        options=(
            text("--filename -f", "FILE", "Write it into this file, which may not exist yet", complete=FILES),
            flag("--no-trunc", "Annotations are never cut", hidden=True),
            flag("--podman-only", "Also what only podpy and Podman understand, by annotations of their own"),
            number("--replicas -r", "N", "How many pods a Deployment keeps", default=1),
            flag("--service -s", "Also a Service that publishes the ports at each node of the cluster"),
            text("--type -t", "KIND", "pod, deployment, daemonset or job; else as containers.conf says: pod"),
        ),
    ),
)
