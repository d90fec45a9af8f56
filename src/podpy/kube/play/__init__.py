"""Makes what Kubernetes objects ask for, and removes it again.

`play` (all of it, or nothing) uses `workloads` (objects → pods), `images`, `storage` (claims, secrets, files),
`host_paths` and `made` (what to undo). `down` removes. `sources` reads files, standard input and addresses.
"""
