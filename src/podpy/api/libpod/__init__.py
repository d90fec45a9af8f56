"""Podman's own paths (`/v5.4.2/libpod/…`), as Podman 5 and 6 answer them. Any version in a path is answered.

    routes.py       which there are                  bodies.py    types of their JSON bodies
    answers.py      Go's JSON, reports of removals   credentials.py   a client's login for a registry
    creating.py     a create's body → ContainerSpec  creating_host.py   its mounts, rights, limits
    containers.py, images.py, manifests.py, pods.py, volumes.py (and secrets), networks.py, system.py, kube.py
                    the handlers

What Docker's paths answer in the same form (logs, attach, exec, archives …) is served by podpy.api.compat's handlers.
"""
