"""The end of a container: stop, wait, cleanup, remove, restart, settle.

settle.py     `settle(engine, row)`: compares the row with the process and the exit record, and corrects it
wait.py       `wait_for_end(engine, row, timeout)`: by pidfd, without polling
stop.py       `stop(container, timeout)`, `kill(container, number)`; timeout in seconds, None: the container's own
              `stop_together(containers, timeout)`: signals all, then waits for all; returns errors by id
finish.py     releases what an ended container held; removes it if it was `--rm`
cleanup.py    `release(engine, row)`: network, run directory, runtime state; safe to repeat, safe against kills
remove.py     `remove(container, force=, volumes=, timeout=, depend=)`; InUseError names the dependents
restart.py    `restart_together(containers, timeout)`: containers whose namespaces others join come first
              `after_end(container)`: conmon's exit command; applies the restart policy
"""
