"""Streams of containers: attach, exec, logs.

    foreground.py  `start_attached`, `attach(container, AttachOptions)` -> exit code, or None if the user detached
    attach.py      the client's side of conmon's attach socket (docs/conmon.md)
    terminal.py    raw mode, window size, signals passed on
    exec.py        `run(container, ExecOptions, Streams)` -> exit code; `start_detached` -> session id
    logs.py        `read_logs(container, LogOptions)` -> iterator of LogLine, times in ns; journald: journal.py
        watch.py       waits for a file to change or a process to end

Streams are the caller's (libpod.caller.Streams): descriptors; -1 is none. Nothing here uses 0, 1 and 2 by number.
"""
