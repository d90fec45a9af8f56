"""Kubernetes YAML → pods and containers of libpod, and back.

`reading`: files → objects with checked fields and their positions (file, line, path). `translate`: objects → PodSpec,
ContainerSpec, volumes; pure. `play`: creates these, and removes them again.
`generate`: containers, pods and volumes → YAML for clusters. `apply`: YAML → a cluster.
Only kube commands load this room.
"""
