"""A pytest plugin: containers, images, pods, networks and a registry as fixtures (docs/testing.md).

    plugin.py     the entry point `pytest11: podpy`; it loads nothing of the engine before a fixture is asked for
    scope.py      Scope: makes things, waits until they are ready, and removes them at its end, the last one first
    waits.py      waits for health, a listening port, a line of a log
    report.py     what stands in the report of a failure: state, `why`, the last lines of the log
    leftovers.py  Session: the label of all that is made, and the removal of what dead sessions have left
    watcher.py    a process that removes what a killed pytest has left, as soon as it is gone

Raises pytest's failures with podpy's `Error:` and `Hint:`, without a traceback.
"""
