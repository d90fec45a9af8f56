"""Containers, pods and volumes → Kubernetes YAML (`kube generate`).

    generate.generate(runtime, names, Options) -> Generated   its `documents` are plain data, `text()` is the YAML
    source: Source, Group, Options                            the data of a document, without the engine
    pod, container, security, volumes, probes, annotations    a part of a Pod each, pure
    kinds                                                     what holds pods, Services, claims
    names, quantities, words, text                            the API server's syntax, and Go's YAML

Rules: the text is Podman's (comments, order of keys, quotes), but a cluster must accept it: names and labels have its
syntax, capabilities no CAP_, an annotation's key one slash, two volumes different names.
`kube play` of the text creates the same containers. Settings without a Kubernetes field are omitted with a warning.
"""
