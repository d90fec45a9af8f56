"""The engine as a program meets it: `from podpy import Runtime`; names are those of docker-py and podman-py.

    Runtime       runtime.py     libpod's Runtime with build, kube and system, and with the classes below
    Containers    containers.py  run and create take an image, a command and keywords, or a ContainerSpec
    Container     container.py   exec, logs, attach, stats, archives, commit; a context, picklable
    options.py                   the keywords, typed; asked.py turns them into a ContainerSpec; places.py: its mounts
    running.py                   Running: a command's output while it runs; lines.py: Lines, a log that can be closed
    images.py, kube.py, system.py, pods.py
    shown.py                     Listed: a list that Jupyter shows as a table

What a program may rely on is recorded in tests/library/signatures.txt. Everything here may be called in a process with
threads: who waits in the background has a Runtime of its own. Raises podpy.errors. The command line doesn't
load this room.
"""
