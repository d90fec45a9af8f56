"""How a container ends: stop, wait, clean-up, removal, and what repairs states.

settle.py     `settle(engine, row)`: compares the row with process and exit record, and corrects it
wait.py       `wait_for_end(engine, row, timeout)`: by pidfd, without polling
stop.py       `stop(container, timeout)`, `kill(container, number)`; seconds; None: the container's own
              `stop_together(containers, timeout)`: signals all, then waits for all; returns errors by id
finish.py     gives back what an ended container held; removes it if it was `--rm`
cleanup.py    `release(engine, row)`: network, mounts, cgroup; safe to repeat, safe to be killed in
remove.py     `remove(container, force=, volumes=, timeout=, depend=)`; InUseError names the dependents
restart.py    `restart_together(containers, timeout)`: those first whose namespaces others join
              `after_end(container)`: conmon's exit command; obeys the restart policy
"""
