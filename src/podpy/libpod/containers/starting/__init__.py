"""The start of a container: create, the plan of a start, its files and mounts.

    create.py     `create(engine, spec, pull)`: completes the spec, finds the image (and may pull it), commits the row
                  `create_starting(…)` -> Starting: a context that holds the row and its lock
    run.py        `run(…)`: create, start, and attach or not, as podman-run(1)
    preflight.py  refuses what a start would refuse, before anything is created
    start.py      `start(container)`, `initialize(container)`: row `starting`, the plan, row `running`; or all undone
    launch.py     Launch: the plan; each other module here has some of its operations
    context.py    StartContext: the facts known before the first operation; never changed
    explain.py    `explain(engine, spec)` -> the plan's lines

The process must be in the user's namespaces, and has no second thread. A start that fails raises OperationError,
RuntimeFailedError (125), CommandNotExecutableError (126) or CommandNotFoundError (127). The container is as before.
"""
