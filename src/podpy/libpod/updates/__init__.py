"""`podpy auto-update` and `rollback`: units get new images, and their former ones back if those don't work.

    manager.Updates(engine)     run(Wanted) -> Outcome, history(), rollback(name)
    tasks.find                  the containers that ask for it (label io.containers.autoupdate), by their units
    available.look              whether there is a newer image: in the registry, or under the name here
    unit.apply                  restart, wait until the containers are well, else the former images again
    table.UpdateTable           the history, and what isn't finished
    killed.finish_killed        what a killed call has left: the next one begins with it
    timer                       systemd calls auto-update every day

Only the user's labels count, and the unit's name is that of podpy's own environment when it made the container; its
cgroup must hold the container's monitor. So no image decides that a unit is restarted, or which.

systemd is asked as the user, so this process stays outside the user's namespaces (libpod.access.Helper).
"""
