"""Containers, pods and volumes → Kubernetes YAML (`kube generate`).

    generate.generate(runtime, names, Options) -> Generated   its `documents` are plain data, `text()` is the YAML
    source: Source, Group, Options                            what a document is made of, without the engine
    pod, container, security, volumes, probes, annotations    a part of a Pod each, pure
    kinds                                                     what holds pods, Services, claims
    names, quantities, words, text                            what an API server takes, and Go's YAML

Rules: the text is Podman's (comments, order of keys, quotes), but a cluster must be able to take it: names and labels
of its syntax, capabilities without CAP_, one slash in an annotation's key, no two volumes of one name.
`kube play` of it gives the same containers. What has no form there is left out with a warning.
"""
