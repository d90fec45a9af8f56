"""Kubernetes YAML → pods and containers of libpod, and back.

`reading`: files → objects whose fields are checked and have places (file, line, path). `translate`: objects → PodSpec,
ContainerSpec, volumes; pure. `play`: makes them, and removes what they made.
`generate`: containers, pods and volumes → text for clusters. `apply`: text → a cluster.
Only kube commands load this room.
"""
