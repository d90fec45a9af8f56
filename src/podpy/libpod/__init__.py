"""The engine: Runtime, Container, their state and life cycle. It never prints, never exits, never reads argv.

The public face (docs/library.md):

    Runtime(paths=None, caller=None, settings=None)   libpod.runtime; a context; also podpy.Runtime
        create(spec, pull=None, replace=False) -> Container       claims the name, may pull; the container isn't started
        container(name or id), latest() -> Container              NoSuchContainerError, AmbiguousNameError
        containers                                                manager: list, select, run, remove_several, prune …;
                                                                  called, it returns all containers
        images, manifests, artifacts, registries                  managers: podpy.libpod.images
    Container                                         libpod.containers.container
        start, stop, kill, restart, pause, unpause, remove, rename, cleanup
        wait(timeout=None) -> exit code; timeouts are seconds     StateError where the state doesn't allow it
        attach, start_attached(AttachOptions) -> exit code, or None if the user detached
        exec(ExecOptions, Streams) -> exit code; exec_detached(ExecOptions) -> session id
        logs(LogOptions) -> iterator of LogLine; inspect(size=False) -> Podman's InspectContainerData as plain data

libpod's own functions use the layer below that face, which never imports it:

    Engine (libpod.engine)            paths, settings, database, table, store, volumes, conf, OCI runtime, locks
    Held (libpod.containers.held)     one container: row (a snapshot; `refresh` updates it), lock, spec, image
    Caller (libpod.caller)            the caller's environment, directory, streams and notices, instead of the process's
    Settings (libpod.settings)        the global options
    Here, Helper (libpod.access)      where privileged work is done: in this process, or in a forked helper

Rooms: containers/ (starting/, ending/), io/ (attach, exec, logs), images/, filters/, system/ (info, df, prune, repair),
updates/ (auto-update, rollback).

Rules:
- Code that mounts, unpacks or changes owners runs in `Engine.privileged` or `privileged_telling`, inside the user's
  namespaces. With `Helper`, each of them forks. No SQLite connection may cross a fork (podpy.storage.database.brief).
- One Runtime is for one thread. A thread may have its own.
- A container's state changes only under its lock: `with container.locked() as row`. That row is already settled.
- A row and its event are written in one transaction. `note` writes a change that a later call could find out again, so
  a full disk doesn't stop it.
- Errors are podpy.errors. After one, the state is as it was before, or the next call's `repair` restores it.
"""
