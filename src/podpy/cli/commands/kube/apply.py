"""`podpy kube apply`: YAML, or what `kube generate` prints, to a Kubernetes cluster."""

from __future__ import annotations

import os
import sys

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Send the objects to the cluster, each by server-side apply."""
    from podpy.kube.apply.deploy import Target, deploy, find

    if options.file and options.service:
        raise UsageError("cannot set --service and --file at the same time")
    documents = _of_file(options.file) if options.file else _generated(options)
    target = Target(kubeconfig=options.kubeconfig, namespace=options.ns, authorities=options.ca_cert_file)
    with find(target, os.environ) as cluster:
        print("Deploying to cluster...", flush=True)
        deploy(cluster, documents, target.namespace)
    print("Successfully deployed workloads to cluster!")
    return 0


def _of_file(path: str) -> list[dict[str, Any]]:
    from podpy.kube.apply.deploy import read

    if path == "-":
        return read(sys.stdin.buffer.read(), "standard input")
    try:
        with open(path, "rb") as file:
            return read(file.read(), path)
    except OSError as error:
        raise UsageError(f"open {path}: {(error.strerror or '').lower()}") from error


def _generated(options: Options) -> list[dict[str, Any]]:
    from podpy.kube.generate.generate import generate
    from podpy.kube.generate.source import Options as Wanted

    with open_runtime(options) as runtime:
        return generate(runtime, options.names, Wanted(for_service=options.service)).documents
