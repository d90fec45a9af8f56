"""Other commands in a container: `exec` create, start, inspect, resize.

What a client wants to run is kept in one small file, RUNROOT/exec/ID, from create on: no process waits for its start.
The start claims it by a second file, ID.started, which at the end has the exit code; so of two starts one runs it.
Files of containers that are gone are removed by the next create.
"""

from __future__ import annotations

import os

from podpy import fastjson, files, pids, process
from podpy.api.call import Answer
from podpy.api.errors import HttpError
from podpy.api.frames import content_type, frame
from podpy.api.pump import DETACHED, GONE, Input, Pump
from podpy.errors import CommandNotExecutableError, CommandNotFoundError, NoSuchContainerError, PodpyError
from podpy.libpod.caller import Streams
from podpy.libpod.containers.table import RUNNING, STOPPING
from podpy.libpod.io.attach import parse_detach_keys, wanted_detach_keys
from podpy.libpod.io.exec import sessions
from podpy.libpod.io.exec_options import ExecOptions
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.libpod.containers.container import Container
    from podpy.libpod.engine import Engine

_STARTED = ".started"
_SIGKILL = 9
_MOST_SIZE = 1000  # rows and columns that conmon takes


class Wanted(Record):
    """What a client wants to run: the body of its create."""

    id: str
    container: str
    command: list[str]
    env: dict[str, str] = {}
    user: str = ""
    workdir: str = ""
    tty: bool = False
    privileged: bool = False
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    keys: str = ""


def create(call: Call) -> Answer:
    """Keep what is to be run; return its id."""
    body = call.json()
    container = call.runtime.container(call.path["id"].removeprefix("/"))
    _require_running(container, call.name)
    command = body.get("Cmd") or []
    if not command:
        raise HttpError(400, "No exec command specified")
    env: list[str] = body.get("Env") or []
    wanted = Wanted(
        id=os.urandom(32).hex(),
        container=container.id,
        command=[command] if isinstance(command, str) else command,
        env=dict(text.split("=", 1) for text in env if "=" in text),
        user=body.get("User") or "",
        workdir=body.get("WorkingDir") or "",
        tty=bool(body.get("Tty")),
        privileged=bool(body.get("Privileged")),
        stdin=bool(body.get("AttachStdin")),
        stdout=bool(body.get("AttachStdout")),
        stderr=bool(body.get("AttachStderr")),
        keys=body.get("DetachKeys") or "",
    )
    if wanted.keys:
        parse_detach_keys(wanted.keys)
    _forget_gone(call.runtime)
    os.makedirs(_directory(call.runtime), mode=0o700, exist_ok=True)
    files.replace(_path(call.runtime, wanted.id), fastjson.dumps(wanted.as_dict()))
    return Answer({"Id": wanted.id}, 201)


def _require_running(container: Container, name: str) -> None:
    status = container.status
    if status == "paused":
        raise HttpError(409, f"Container {name} is paused, unpause the container before exec")
    if status not in (RUNNING, STOPPING):
        raise HttpError(409, f"container {container.id} is not running")


def _directory(engine: Engine) -> str:
    return os.path.join(engine.paths.runroot, "exec")


def _path(engine: Engine, identifier: str) -> str:
    return os.path.join(_directory(engine), identifier)


def _forget_gone(engine: Engine) -> None:
    """Remove what was wanted of containers that are gone."""
    directory = _directory(engine)
    names = [name for name in (os.listdir(directory) if os.path.isdir(directory) else ()) if "." not in name]
    there = {row.id for row in engine.table.summaries()} if names else set()
    for name in names:
        wanted = _read(engine, name)
        if wanted is None or wanted.container not in there:
            for path in (f"{directory}/{name}", f"{directory}/{name}{_STARTED}"):
                files.unlink(path)


def _read(engine: Engine, identifier: str) -> Wanted | None:
    if not identifier.isalnum():
        return None
    try:
        return Wanted(**fastjson.loads(files.read(_path(engine, identifier))))
    except (OSError, ValueError, TypeError):
        return None


def _find(call: Call) -> Wanted:
    wanted = _read(call.runtime, call.path["id"])
    if wanted is None:
        raise HttpError(404, f"No such exec instance: {call.path['id']}")
    return wanted


def _container(call: Call, wanted: Wanted) -> Container:
    try:
        return call.runtime.container(wanted.container)
    except NoSuchContainerError:
        raise HttpError(404, f"No such exec instance: {wanted.id}") from None


def inspect(call: Call) -> Answer:
    """Describe a command: whether it runs, how it has ended."""
    wanted = _find(call)
    container = _container(call, wanted)
    living = next((each for each in sessions(container) if each.id == wanted.id), None)
    claim = _path(call.runtime, wanted.id) + _STARTED
    said = files.read_small(claim) if os.path.exists(claim) else None
    code = _exit_code(call, wanted, said) if said is not None and living is None else None
    is_running = said is not None and (living is not None or code is None)
    return Answer(
        {
            "ID": wanted.id,
            "Running": is_running,
            "ExitCode": code,
            "ProcessConfig": {
                "tty": wanted.tty,
                "entrypoint": wanted.command[0],
                "arguments": wanted.command[1:],
                "privileged": wanted.privileged,
                **({"user": wanted.user} if wanted.user else {}),
            },
            "OpenStdin": wanted.stdin,
            "OpenStderr": wanted.stderr,
            "OpenStdout": wanted.stdout,
            "CanRemove": said is not None and not is_running,
            "ContainerID": wanted.container,
            "DetachKeys": wanted.keys,
            "Pid": living.pid if living else 0,
        }
    )


def remove(call: Call) -> Answer:
    """Forget a command that doesn't run; with `Force`, end one that does. Podman's path alone has this."""
    wanted = _find(call)
    living = next((each for each in sessions(_container(call, wanted)) if each.id == wanted.id), None)
    if living is not None:
        if not call.json().get("Force"):
            raise HttpError(409, f"container {wanted.container} exec session {wanted.id} is still running")
        pids.send_signal(living.pid, living.pid_start, _SIGKILL)
    for path in (_path(call.runtime, wanted.id), _path(call.runtime, wanted.id) + _STARTED):
        files.unlink(path)
    return Answer({})


def _exit_code(call: Call, wanted: Wanted, said: str) -> int | None:
    """Return the code of a command's end: as its start has noted it, else that of the event of a background command."""
    if said.strip().isdigit():
        return int(said)
    with call.runtime.events(filters=[f"container={wanted.container}", "event=exec_died"]) as events:
        for event in events:
            if event.exec_id == wanted.id:
                return event.exit_code
    return None


def start(call: Call) -> Answer | None:
    """Run what was wanted, in the background or on a hijacked connection."""
    body = call.json()
    wanted = _find(call)
    container = _container(call, wanted)
    _require_running(container, container.name)
    detach, upgrade = bool(body.get("Detach")), call.request.wants_upgrade
    is_first = _claim(call.runtime, wanted)
    if detach:
        if not is_first:
            raise HttpError(409, f"exec command {wanted.id} has already run")
        return _start_detached(container, wanted)
    tty = bool(body.get("Tty"))  # as dockerd: the frames follow the start's, the terminal the create's
    kind = content_type(call.version if upgrade else (1, 0), tty=tty)
    client, early = call.connection.hijack(kind, upgrade=upgrade, common=True)
    if not is_first:
        _say(client, f"exec command {wanted.id} has already run\r\n", tty=tty)
        return None
    _run(call, container, wanted, client, early, tty=tty)
    return None


def _claim(engine: Engine, wanted: Wanted) -> bool:
    path = _path(engine, wanted.id) + _STARTED
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    return True


def _options(wanted: Wanted, keys: bytes = b"") -> ExecOptions:
    return ExecOptions(
        id=wanted.id,
        command=wanted.command,
        env=wanted.env,
        workdir=wanted.workdir,
        user=wanted.user,
        tty=wanted.tty,
        interactive=wanted.stdin,
        privileged=wanted.privileged,
        detach_keys=keys,
    )


def _start_detached(container: Container, wanted: Wanted) -> Answer:
    try:
        container.exec_detached(_options(wanted))
    except PodpyError as error:
        _note(container.engine, wanted, error.exit_code)
        raise HttpError(400, _failure(error, wanted)) from None
    return Answer(body=b"")


def _note(engine: Engine, wanted: Wanted, code: int) -> None:
    files.replace(_path(engine, wanted.id) + _STARTED, f"{code}\n")


def _failure(error: PodpyError, wanted: Wanted) -> str:
    """Return runc's words about a command that can't be run."""
    word = wanted.command[0]
    before = "OCI runtime exec failed: exec failed: unable to start container process: "
    if isinstance(error, CommandNotExecutableError) and error.exit_code == CommandNotExecutableError.exit_code:
        return f'{before}exec: "{word}": permission denied'
    if isinstance(error, CommandNotFoundError):
        why = f"stat {word}: no such file or directory" if "/" in word else "executable file not found in $PATH"
        return f'{before}exec: "{word}": {why}'
    return error.message


def _say(client: int, text: str, *, tty: bool) -> None:
    data = text.encode("utf-8", "surrogateescape")
    os.write(client, data if tty else frame(1, data))


def _run(call: Call, container: Container, wanted: Wanted, client: int, early: bytes, *, tty: bool) -> None:
    """Run the command in a child, and move its bytes here: the child waits for the OCI runtime."""
    runtime = call.runtime
    keys = wanted_detach_keys(parse_detach_keys(wanted.keys) if wanted.keys else None, runtime.conf)
    stdin, out, err = process.pipe(), process.pipe(), process.pipe()
    runtime.close()  # no SQLite connection may be carried over a fork
    child = process.fork()
    if child == 0:
        _be_the_child(call, container, wanted, Streams(stdin[0], out[1], err[1]), (stdin[1], out[0], err[0]))
    for descriptor in (stdin[0], out[1], err[1]):
        os.close(descriptor)
    outputs = {
        descriptor: (lambda data: data) if tty else (lambda data, stream=stream: frame(stream, data))
        for stream, descriptor in ((1, out[0]), (2, err[0]))
    }
    given = Input(stdin[1], lambda: os.close(stdin[1])) if wanted.stdin else None
    ended = os.pidfd_open(child)
    pump = Pump(client, outputs, given, early=early, keys=keys if wanted.tty else b"", end=ended)
    why = pump.run()
    if why in (GONE, DETACHED):
        pump.drain()
    process.wait(child)


def _be_the_child(
    call: Call, container: Container, wanted: Wanted, streams: Streams, others: tuple[int, int, int]
) -> None:
    code = 255
    try:
        for descriptor in (*others, call.connection.socket.fileno()):
            os.close(descriptor)
        try:
            code = container.exec(_options(wanted), streams)
        except PodpyError as error:
            code = error.exit_code
            if not error.already_told:
                os.write(streams.stdout, (_failure(error, wanted) + "\r\n").encode("utf-8", "surrogateescape"))
        _note(container.engine, wanted, code)
        call.runtime.close(at_end=True)
    finally:
        os._exit(0)


def resize(call: Call) -> Answer:
    """Set the size of a command's terminal."""
    height, width = size_of(call)
    wanted = _find(call)
    container = _container(call, wanted)
    if not os.path.exists(_path(call.runtime, wanted.id) + _STARTED):
        raise HttpError(500, "timeout waiting for exec session ready")
    if wanted.tty:
        directory = os.path.join(container.engine.run_directory(container.id), "exec", wanted.id + ".d")
        tell_size(os.path.join(directory, "ctl"), height, width)
    return Answer(body=b"")


def size_of(call: Call) -> tuple[int, int]:
    """Return rows and columns of a resize. Raises HttpError in dockerd's words."""
    found = []
    for name, word in (("h", "height"), ("w", "width")):
        text = call.query[name]
        if not (text.isascii() and text.isdigit()):
            raise HttpError(400, f'invalid resize {word} "{text}": invalid syntax')
        found.append(min(int(text), _MOST_SIZE))
    return found[0], found[1]


def tell_size(control: str, height: int, width: int) -> None:
    """Tell a monitor its terminal's size (conmon's protocol). Raises HttpError if there is no monitor (yet)."""
    try:
        descriptor = os.open(control, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise HttpError(500, "cannot resize: the terminal isn't ready") from None
    try:
        os.write(descriptor, f"1 {height} {width}\n".encode())
    except BlockingIOError:
        pass  # a monitor that doesn't read gets the next one
    finally:
        os.close(descriptor)


def container_resize(call: Call) -> Answer:
    """Set the size of a container's terminal."""
    height, width = size_of(call)
    container = call.runtime.container(call.path["id"].removeprefix("/"))
    if container.status not in (RUNNING, STOPPING):
        raise HttpError(409, f"container {container.id} is not running")
    if container.spec.tty:
        control = os.path.join(container.engine.run_directory(container.id), "bundle", "ctl")
        tell_size(control, height, width)
    return Answer(body=b"")
