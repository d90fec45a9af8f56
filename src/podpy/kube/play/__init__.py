"""Creates pods, volumes and secrets from Kubernetes objects, and removes them.

`play` (all, or nothing) uses `workloads` (objects → pods), `images`, `storage` (claims, secrets, files), `host_paths`
and `made` (the things to undo). `down` removes. `sources` reads files, standard input and URLs.
"""
