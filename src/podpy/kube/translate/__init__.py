"""Kubernetes objects → PodSpec, ContainerSpec and volumes. Pure: all other facts come from `Context`.

`pods` and `containers` combine the results of the others: `environment`, `volumes`, `mounts`, `security`, `probes`,
`resources`, `annotations`. Raises UsageError with file, line and field.
"""
