"""Bridges: networks that several containers are on, in the user's shared network namespace.

    netlink.py     rtnetlink(7) and nfnetlink messages, written by hand: many in one datagram
    links.py       a bridge, a container's plug into it, addresses and routes
    nftables.py    a ruleset, once; then elements of its sets and maps
    firewall.py    who may talk to whom in the shared namespace
    namespace.py   the shared network namespace: found, made, ended; way_out.py: its pasta or slirp4netns
    host.py        the host's own namespace instead, for root; host_firewall.py: its table beside other ones
    addresses.py   which addresses a container gets
    members.py     a container on a network: its plug, its names
    attach.py      the operations of a start, and what an end gives back
    running.py     a running container is plugged in and out
    listeners.py   a container's host ports: bound before anything starts
    forwarder.py   podpy-forward, which brings their clients to the container

pyroute2 would do the first two. Its import takes 118 ms, 30 times what a whole attaching does.
"""
