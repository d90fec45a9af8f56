"""The whole engine: info, disk usage, prune, repair.

repair.py      `repair(engine)`: finishes or undoes what killed calls left; each changing call does it first
unfinished.py  what one call makes, all of it or nothing: Unfinished, and what repair does about killed ones
networks.py    `repair_networks(engine)`: the same for user networks
info.py        `info(engine)`: `podpy info` as plain data
disk_usage.py  `disk_usage(engine)` -> DiskUsage: blocks as `du` counts them, in bytes
prune.py       `containers`, `images`, `volumes(engine, …, dry_run=)` -> Pruned(removed, freed bytes, errors)
check.py       `check(engine, mend=False)`: rows against the disk, and what killed calls left
doctor.py      `checks(paths)` -> list of Check: this host
namespaces.py  `podpy unshare`, `system migrate`
diff.py        `diff(engine, name, base="", kind="all")` -> list of Change
"""
