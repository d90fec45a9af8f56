"""Which hop of a bridge network fails, why, and what mends it: `podpy system doctor --network NAME`.

    dns.py       one question to a name server, from any network namespace
    reach.py     can an address be connected to; who listens in a container; a container's own files
    shared.py    what all containers of the network need: bridge, firewall, way out, resolver
    container.py what one needs: its link, its routes, the names that it asks for, its published ports

All is looked at from where it is used: by sockets that are made in the container's own network namespace
(podpy.linux.netns_socket). Nothing is changed.
"""
