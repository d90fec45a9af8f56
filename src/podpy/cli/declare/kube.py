"""The commands about Kubernetes YAML."""

from __future__ import annotations

from podpy.cli.declare.model import CONTAINERS, FILES, Argument, Command, flag, number, text

GROUPS = {"kube": "Kubernetes YAML"}

_SOME = "CONTAINER|POD|VOLUME"

COMMANDS: tuple[Command, ...] = (
    Command(
        path="kube apply",
        handler="podpy.cli.commands.kube.apply:run",
        help="Send containers, pods, volumes, or YAML to a Kubernetes cluster",
        description="Each object is made, or changed to what it should be, by server-side apply.",
        examples=(
            "podpy kube apply --kubeconfig ./cluster.yaml web",
            "podpy kube apply --ns shop -f shop.yaml",
            "podpy kube apply -f - < shop.yaml",
        ),
        arguments=(Argument(name="names", metavar=_SOME, required=False, many=True, complete=CONTAINERS),),
        options=(
            text("--ca-cert-file", "FILE", "The cluster's authority; insecure: check nothing", complete=FILES),
            text("--file -f", "FILE", "Send this YAML; -: standard input", complete=FILES),
            text("--kubeconfig -k", "FILE", "Where the cluster is, and who you are (KUBECONFIG, ~/.kube/config)"),
            text("--ns", "NAMESPACE", "The namespace; else the object's, else the kubeconfig's"),
            flag("--service -s", "Also a Service that publishes the ports at each node of the cluster"),
        ),
    ),
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
        arguments=(Argument(name="names", metavar=_SOME, many=True, complete=CONTAINERS),),
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
