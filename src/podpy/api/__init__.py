"""The API: HTTP on a socket, in Docker's and Podman's words, answered by libpod.

    server.py       the parent: it has entered the user's namespaces, listens, and forks a worker for each request
    addresses.py    where it listens: unix sockets, fd://, the sockets of systemd's socket activation
    connection.py   one request of a connection, read by h11, and its answer; hijacked streams
    work.py         the worker: finds the route, reads parameters and body, calls the handler, answers errors
    table.py        all routes; routes.py: what a declaration is made of
    values.py       parameters: texts of a query → typed values, as dockerd reads them
    errors.py       libpod's errors → HTTP statuses and Docker's words
    frames.py       Docker's frames; pump.py: bytes between a hijacked connection and streams
    schema.py       types of JSON bodies; versions.py: the versions that are answered
    call.py         what a handler gets, and what it may answer with
    compat/         the handlers of Docker's paths; libpod/: of Podman's own; building/: builds;
                    buildkit/: BuildKit's protocol

The parent has one thread and keeps nothing about requests. A worker is an engine like a command: it reads its state
from disk, does one request, writes its state and exits. So a worker that is killed loses nothing, a slow client stops
nobody else, and no request sees another one's environment. Between two requests of one connection there is no process:
the parent holds the connection and forks when more arrives on it.

It may import libpod, kube, spec and build. Handlers never print; errors are podpy.errors, or HttpError where only the
API can fail.
"""
