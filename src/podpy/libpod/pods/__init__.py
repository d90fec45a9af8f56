"""Pods: containers that share namespaces. A pod is a row, a lock, a cgroup, and (as a rule) an infra container.

manager.py      Pods, `runtime.pods`: create, get, list, lines, select, each, clone, prune
pod.py          Pod, the public class; each method is one call of a module here
held.py         HeldPod: row, lock, containers
table.py        PodRow, PodTable: all SQL about pods; Member: what lists need of a container
states.py       the pod's state, from its containers' states
create.py       the pod's row and its infra container, in one transaction
infra.py        the infra container's spec; root.py: its root directory
membership.py   what a container gets from its pod; libpod.containers calls it, so it imports nothing from there
cgroup.py, limits.py   the pod's cgroup, and its limits, which count for all of its containers together
last_end.py     the exit policy `stop`; libpod.containers calls it, too
left_behind.py  containers that keep running after a kill of the infra container; likewise
service.py      the container that runs as long as one of several pods does; likewise
start.py        infra, init containers, the others in stages (order.py); a stage starts in parallel (children.py)
stop.py         stop, restart, kill, pause, unpause
remove.py       removal, and finishing a removal that was killed
users.py        removing pods when a network, volume or image is removed by force
inspect.py, rows.py, observe.py, clone.py   `pod inspect`, `pod ps`, `pod top` and `stats`, `pod clone`

Rules: a pod's lock comes before its containers'; lists and repair wait for neither. No row has a pod's state. The next
call that changes anything finishes the removal of a row with `removing`. The infra container is an ordinary container
with ContainerSpec.is_infra; the others name it in `requires` and `container:ID`, so starting one starts it, too.
"""
