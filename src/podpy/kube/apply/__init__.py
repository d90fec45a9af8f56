"""Documents → a cluster (`kube apply`).

    kubeconfig.access(files) -> Access     which cluster, and as whom: kubeconfig files, merged
    plugin.resolved(access, environ)       with what a program says that a kubeconfig names
    cluster.Cluster(access)                a context: HTTPS to the API server; `apply(document, namespace)`
    deploy.find(target, environ)           all of these, by the command's options
    deploy.deploy(cluster, documents)      all documents, workloads last; `read` reads a file

Server-side apply: the API server merges what podpy sends with what others have set, and refuses to take from them what
they own. Raises ConfigError (a kubeconfig), ClusterError (what the cluster says, or that it didn't answer).
"""
