"""The handlers of Docker's paths: its JSON → libpod's calls, libpod's results → its JSON.

    system.py      ping, version, info
    containers.py  create, start, stop … remove: calls that change a container
    body.py        the body of create → ContainerSpec; host_config.py: its HostConfig
    bodies.py      the types of bodies
    networking.py  the body's networks → attachments; the default network is called `bridge` here
    listing.py     containers/json
    inspecting.py  containers/{id}/json
    waiting.py     wait
    files.py       archives of paths, export, changes
    usage.py       top, stats; events.py: events
    attach.py      attach, and the start of a container that somebody waits for
    execs.py       exec: create, start, inspect, resize
    logs.py        logs, and the frames of streams without a terminal
    images/        images and registries
    networks.py    networks; volumes.py: volumes; disk_usage.py: system df
    swarm.py       what only a swarm has

Where Docker and Podman differ, these answer as Docker does: clients look for it.
"""
