"""Pods: containers that share namespaces. A pod is a row, a lock, a cgroup, and (as a rule) an infra container.

manager.py      Pods, `runtime.pods`: create, get, list, lines, select, each, clone, prune
pod.py          Pod, the public class; each method is one call of a module here
held.py         HeldPod: row, lock, containers
table.py        PodRow, PodTable: all SQL about pods; Member: what lists need of a container
states.py       the pod's state, from its containers' states
create.py       the pod's row and its infra container, in one transaction
infra.py        what the infra container is asked to be; root.py: its files
membership.py   what a container gets from its pod; called by libpod.containers, and below it
cgroup.py, limits.py   the pod's cgroup, and what all of its containers together may use
last_end.py     the exit policy `stop`; likewise below
start.py        infra, init containers, then the others in stages (order.py), each stage at once (children.py)
stop.py         stop, restart, kill, pause, unpause
remove.py       removal, and finishing one that was killed
users.py        removing pods with a network, volume or image that goes by force
repair.py       what the next call does about killed ones
inspect.py, rows.py, observe.py, clone.py   `pod inspect`, `pod ps`, `pod top` and `stats`, `pod clone`

Rules: a pod's lock comes before its containers'; lists and repair wait for neither. A pod's state is in no row. A row
with `removing` is finished by the next call that changes anything. The infra container is a container as any other,
with ContainerSpec.is_infra; the others have `requires` and `container:ID` for it, so whatever starts one starts it.
"""
