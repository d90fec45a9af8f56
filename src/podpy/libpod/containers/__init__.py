"""Containers: rows, names, inspect, lists.

manager.py         Containers, `runtime.containers`: list, listing, select, create, run, explain, remove_several, prune
container.py       Container, the public class; each method is one call of a module here, in starting/, ending/, io/
held.py            Held, `find(engine, name_or_id)`: a container in libpod's hands
table.py           ContainerRow and ContainerTable: all SQL about containers
rows.py            `true_rows(engine)`, `listing(engine, filters)`: rows for lists, settled, filtered, sorted
joined_hosts.py    a container's line in the /etc/hosts of the one whose network it has joined
names.py           ids (64 hex digits), invented and valid names
facts.py           `facts(…)`: Podman's ListContainer, one object in `ps --format json`
ports.py           published and exposed ports of a row
inspect_data.py    `inspect(container, size=False)`, Podman's names; HostConfig in inspect_host.py
sizes.py, top.py   disk space in bytes; processes, from /proc
stats.py, usage.py `Sampler(engine, names).sample()`: what containers use, from cgroups and /proc
"""
