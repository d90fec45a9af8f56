"""One build: the client's files, secrets and credentials are fetched, a child builds, its reports go to the board."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from functools import partial

from podpy import beneath, fastjson
from podpy.api.building.lines import command_of
from podpy.api.building.sent import InMemory, entry
from podpy.api.buildkit import asked
from podpy.api.buildkit.grpc import UNIMPLEMENTED, UNKNOWN, GrpcError
from podpy.api.buildkit.http2 import Gone
from podpy.api.buildkit.session import private_directory
from podpy.api.errors import HttpError, message_of
from podpy.build.apart import Apart
from podpy.build.context.fetch import Fetched, fetch, own_directory
from podpy.build.context.ignore_file import load
from podpy.build.files import parsed
from podpy.build.sources import STDIN, is_remote
from podpy.errors import BuildFileError, PodpyError, StepFailedError
from podpy.interrupts import Undoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podpy.api.buildkit.session import Session
    from podpy.api.buildkit.status import Steps
    from podpy.build.build import Built
    from podpy.build.options import BuildOptions
    from podpy.build.reading.instructions import Dockerfile
    from podpy.libpod.runtime import Runtime

_HUB = "docker.io"
_HUB_KEY = "https://index.docker.io/v1/"
_SOURCE = "github.com/moby/buildkit/errdefs.Source+json"
_UPLOADED = "http://buildkit-session/"
_SENT = {"tar": "result.tar", "oci": "result.tar", "docker": "result.tar", "local": "result"}


class Solving:
    """One build with a client's session. `exporter`: its type and attributes."""

    def __init__(
        self, runtime: Runtime, session: Session, attrs: Mapping[str, str], exporter: tuple[str, Mapping[str, str]],
        steps: Steps,
    ) -> None:  # fmt: skip
        self._runtime = runtime
        self._session = session
        self._attrs = attrs
        self._kind, self._exported = exporter
        self._steps = steps
        self._servers: list[asyncio.Server] = []
        self._memory: list[InMemory] = []
        self._source = b""
        self._files = ""
        self._staged = ""  # a path that means nothing to the client

    async def run(self) -> dict[str, str]:
        """Build, and return what the client's exporter tells. Raises GrpcError, Gone."""
        place = own_directory(self._runtime)
        self._staged = f"{place.path()}/"
        try:
            return await self._run(place.path())
        except (PodpyError, HttpError, OSError) as error:
            if isinstance(error, Gone):
                raise
            raise self._told(error) from None
        finally:
            for server in self._servers:
                server.close()
            for file in self._memory:
                file.close()
            place.close()

    async def _run(self, place: str) -> dict[str, str]:
        options = asked.options(self._attrs, rootless=self._runtime.paths.rootless)
        options = options.replace(**self._output(place))
        context = self._attrs.get("context", "")
        if context.startswith(_UPLOADED):
            options = await self._uploaded(options, context.removeprefix(_UPLOADED), place)
        elif is_remote(context):
            options = options.replace(context=context)
        else:
            options = await self._prepared(options, place)
        built = await self._build(options)
        await self._export(place)
        return self._answer(built)

    def _output(self, place: str) -> dict[str, Any]:
        if self._exported.get("push", "") not in ("", "false", "0"):
            raise GrpcError(UNIMPLEMENTED, "push isn't supported in a build: push the image afterwards")
        names = [name for name in self._exported.get("name", "").split(",") if name]
        if self._kind in _SENT:
            path = os.path.join(place, _SENT[self._kind])
            return {"outputs": [f"type={self._kind},dest={path}"], "names": names}
        if self._kind not in ("", "moby", "image"):
            raise GrpcError(UNIMPLEMENTED, f"exporter {self._kind} isn't supported")
        return {"names": names}

    # What comes from the client

    async def _uploaded(self, options: BuildOptions, name: str, place: str) -> BuildOptions:
        """Fetch an archive that the client has read from its standard input: Dockerfiles come from it, too."""
        path, target = os.path.join(place, "upload"), private_directory(place, "context")
        with self._steps.doing("[internal] load remote build context"):
            await self._session.upload(f"/{name}", path)
            with open(path, "rb") as archive:
                fetched = fetch(STDIN, target, self._runtime.caller.environ, archive.fileno())
        self._files = fetched.directory
        return options.replace(context=fetched.directory)

    async def _prepared(self, options: BuildOptions, place: str) -> BuildOptions:
        """Fetch the Dockerfile, the context and what else the build needs."""
        self._files = private_directory(place, "dockerfile")
        name = asked.file_name(self._attrs)
        wanted = [name, f"{name}.dockerignore"]
        with self._steps.doing(f"[internal] load build definition from {os.path.basename(name)}"):
            await self._session.files(self._attrs.get("dockerfilekey", "dockerfile"), self._files, followed=wanted)
        path = beneath.place_in(self._files, name)
        if not os.path.isfile(path):
            raise GrpcError(UNKNOWN, f"failed to read dockerfile: open {name}: no such file or directory")
        with open(path, "rb") as content:
            self._source = content.read()
        file = parsed(path, name)
        context = await self._context(place, name)
        options = options.replace(context=context, contexts=await self._contexts(place))
        secrets, agents = await self._secrets(file), await self._agents(file, place)
        authfile = await self._credentials(file)
        return options.replace(secrets=secrets, agents=agents, pull=options.pull.replace(authfile=authfile))

    async def _context(self, place: str, name: str) -> str:
        key = self._attrs.get("contextkey", "context")
        with self._steps.doing("[internal] load .dockerignore"):
            if os.path.lexists(beneath.place_in(self._files, f"{name}.dockerignore")):
                rules = load("", name, origin=self._files)
            else:
                directory = private_directory(place, "ignore")
                await self._session.files(key, directory, followed=[".dockerignore"])
                rules = load(directory)
        target = private_directory(place, "context")
        with self._steps.doing("[internal] load build context"):
            await self._session.files(key, target, excluded=rules.texts)
        return target

    async def _contexts(self, place: str) -> dict[str, str]:
        found = {}
        for number, (name, value) in enumerate(asked.beginning_with(self._attrs, "context:").items()):
            kind, _, rest = value.partition(":")
            if kind == "local":
                target = private_directory(place, f"context-{number}")
                await self._session.files(rest, target)
                found[name] = target
            elif kind in ("docker-image", "https", "http", "git"):
                found[name] = value
            else:
                raise GrpcError(UNIMPLEMENTED, f"context {name}={value} isn't supported")
        return found

    async def _secrets(self, file: Dockerfile) -> dict[str, str]:
        """Return where each secret of a RUN is: in memory that only this process and its child see."""
        found: dict[str, str] = {}
        for said in _mounts(file):
            target = said.get("target") or said.get("dst") or said.get("destination") or said.get("env") or ""
            name = said.get("id") or os.path.basename(target)
            if said.get("type") != "secret" or not name or name in found:
                continue
            content = await self._session.secret(name)
            if content is None:
                continue
            found[name] = f"file:{self._in_memory(content)}"
        return found

    def _in_memory(self, content: bytes) -> str:
        self._memory.append(InMemory(content))
        return self._memory[-1].path

    async def _agents(self, file: Dockerfile, place: str) -> dict[str, str]:
        """Return a socket for each agent of a RUN, behind which is the client's."""
        found: dict[str, str] = {}
        for said in _mounts(file):
            name = said.get("id") or "default"
            if said.get("type") != "ssh" or name in found or not await self._session.has_agent(name):
                continue
            socket_name = f"agent-{len(found)}"
            listening = _listening(place, socket_name)
            self._servers.append(await asyncio.start_unix_server(partial(self._session.agent, name), sock=listening))
            found[name] = os.path.join(place, socket_name)
        return found

    async def _credentials(self, file: Dockerfile) -> str:
        """Return a file with the client's credentials for the registries of a file's images; "": it has none.

        It is in memory, as secrets are.
        """
        auths = {}
        for host in sorted(_hosts(file)):
            known = await self._session.credentials(_HUB_KEY if host == _HUB else host)
            if known is not None:
                auths[host] = entry(*known) if known[0] else {"identitytoken": known[1]}
        return self._in_memory(fastjson.dumps({"auths": auths}).encode("utf-8", "surrogateescape")) if auths else ""

    # The build

    async def _build(self, options: BuildOptions) -> Built:
        apart = Apart(self._runtime, options, Fetched(directory=options.context, files=self._files))
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def receive() -> None:
            with self._runtime.noticing():
                is_done = apart.receive(self._steps)
            if is_done:
                loop.remove_reader(apart.fileno())
                done.set()

        loop.add_reader(apart.fileno(), receive)
        try:
            await done.wait()
        except asyncio.CancelledError:
            loop.remove_reader(apart.fileno())
            with Undoing():
                apart.stop()
            raise
        try:
            built = apart.result()
        except BaseException as error:
            self._steps.fails(_text(error, self._steps))
            raise
        return built

    async def _export(self, place: str) -> None:
        if self._kind not in _SENT:
            return
        path = os.path.join(place, _SENT[self._kind])
        with self._steps.doing(f"exporting to client {self._kind}"):
            if self._kind == "local":
                await self._session.send_tree(path, 0)
            else:
                await self._session.send_file(path, 0)

    def _answer(self, built: Built) -> dict[str, str]:
        if self._kind in _SENT:
            return {}
        digest = f"sha256:{built.image_id}"
        told = {"containerimage.config.digest": digest, "containerimage.digest": digest}
        return {**told, "image.name": self._exported["name"]} if self._exported.get("name") else told

    # Errors

    def _told(self, error: BaseException) -> GrpcError:
        """Return an error with the lines of the Dockerfile that it is about."""
        line = error.line if isinstance(error, BuildFileError) else 0
        if not line and self._steps.step is not None:
            line = self._steps.step.line
        details = [(_SOURCE, self._place(line))] if line and self._source else []
        return GrpcError(UNKNOWN, _text(error, self._steps).replace(self._staged, ""), details)

    def _place(self, line: int) -> bytes:
        where = {"start": {"line": line}, "end": {"line": line}}
        content = base64.b64encode(self._source).decode()
        info = {"filename": asked.file_name(self._attrs), "data": content, "language": "Dockerfile"}
        return fastjson.dumps({"info": info, "ranges": [where]}).encode("utf-8", "surrogateescape")


def _listening(directory: str, name: str) -> socket.socket:
    """Return a socket that listens in a directory. Raises OSError."""
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listening.bind(f"/proc/self/fd/{place}/{name}")  # a socket's path has at most 108 bytes
    except BaseException:
        listening.close()
        raise
    finally:
        os.close(place)
    return listening


def _text(error: BaseException, steps: Steps) -> str:
    """Return an error's text, in BuildKit's words where it has some."""
    if isinstance(error, BuildFileError):
        return f"dockerfile parse error on line {error.line}: {error.reason}"
    if isinstance(error, StepFailedError) and steps.step is not None:
        command = command_of(steps.step.text)
        if command:
            return f'process "{command}" did not complete successfully: exit code: {error.exit_code}'
    return message_of(error)


def _mounts(file: Dockerfile) -> list[dict[str, str]]:
    """Return what the RUNs' mounts say."""
    texts = [text for one in file.instructions if one.NAME == "RUN" for text in getattr(one, "mounts", ())]
    return [dict(word.partition("=")[::2] for word in text.split(",")) for text in texts]


def _hosts(file: Dockerfile) -> set[str]:
    """Return the registries of a file's images, as far as they are written there."""
    images = [getattr(one, "image", "") or getattr(one, "from_", "") for one in file.instructions]
    found = set()
    for image in images:
        first, slash, _ = image.partition("/")
        if "$" in first or not image or image == "scratch":
            continue
        found.add(first if slash and ("." in first or ":" in first or first == "localhost") else _HUB)
    return found
