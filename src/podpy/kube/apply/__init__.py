"""Documents → a cluster (`kube apply`).

    kubeconfig.access(files) -> Access     cluster and user, from merged kubeconfig files
    plugin.resolved(access, environ)       adds the credentials that a kubeconfig's plugin prints
    cluster.Cluster(access)                a context: HTTPS to the API server; `apply(document, namespace)`
    deploy.find(target, environ)           all of the above, for the command's options
    deploy.deploy(cluster, documents)      all documents, workloads last; `read` reads a file

Server-side apply: the API server merges podpy's fields with those that others have set, and refuses changes to fields
that others own. Raises ConfigError (a kubeconfig), ClusterError (the cluster's answer, or none).
"""
