"""Kubernetes objects → PodSpec, ContainerSpec and volumes. Pure: nothing is looked up but what `Context` has.

`pods` and `containers` put together what the others read: `environment`, `volumes`, `mounts`, `security`, `probes`,
`resources`, `annotations`. Raises UsageError with file, line and field.
"""
