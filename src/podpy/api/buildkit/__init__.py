"""BuildKit's protocol: what `docker buildx`, `docker build` and `docker compose build` speak, solved by podpy's build.

    endpoint.py   POST /grpc and POST /session: the connection becomes HTTP/2
    meeting.py    a session's connection goes from the worker that has it to the one that builds
    http2.py      streams of a connection, ours or the client's (h2); grpc.py: messages and errors on them
    wire.py       protobuf's encoding; messages.py: the fields of the messages that are used
    control.py    the services that clients call; posted.py: POST /build?version=2
    session.py    the services of the client that a build calls: files, secrets, credentials
    filesync.py   the files of a context, as they come; and those of a result, as they go
    asked.py      a frontend's attributes → BuildOptions
    solving.py    one build: what it needs is fetched from the client, a child builds, its reports become status.py's

It has one thread, and asyncio's loop. A build forks, so it is a child of its own. Only the worker of such a request
loads this room. Numbers and names of fields are those of moby/buildkit and tonistiigi/fsutil.
"""
