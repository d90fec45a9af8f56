"""The instructions that make layers, RUN, COPY, ADD, WORKDIR → work on the image below, and inputs of the key."""

from __future__ import annotations

import os
from contextlib import ExitStack

from podpy import fastjson
from podpy.build import settings
from podpy.build.reading.devices import devices
from podpy.build.reading.ignore import Rules
from podpy.build.reading.instructions import Add, Copy, Run
from podpy.build.sources import ContextOrigin, is_added_repository
from podpy.build.stage import Makers
from podpy.errors import NotSupportedError, UsageError
from podpy.spec.health import Health
from podpy.spec.proxies import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from podpy.build.context.git import Repository
    from podpy.build.options import BuildOptions, Report
    from podpy.build.reading.instructions import Heredoc, Transfer
    from podpy.build.reading.mounts import Mount
    from podpy.build.sources import Origin
    from podpy.build.stage import StageReader, Work
    from podpy.build.steps.fetching import Fetched
    from podpy.build.steps.modes import Mode
    from podpy.build.steps.mounts import Wanted
    from podpy.build.steps.transfer import Document, Source
    from podpy.build.times import Clock
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.writer import LayerWriter

_MODE_OF_DOWNLOADS = 0o600
_NO_KEYS = ("create_command", "resources", "ulimits")
_NO_PROPAGATION = ("private", "rprivate")
_DEFAULT_AGENT = "default"
_NO_CHECK = Health(test=["NONE"])


class LayerMakers(Makers):
    """Makes the work of one build."""

    def __init__(
        self,
        engine: Engine,
        options: BuildOptions,
        report: Report,
        clock: Clock,
        *,
        work: Callable[[], str],
        origin: Callable[[str], Origin],
    ) -> None:
        """`work` returns the call's id (podpy.libpod.system.unfinished); `origin` what --from's text means ("": the
        context).
        """
        self._engine = engine
        self._options = options
        self._report = report
        self._clock = clock
        self._work = work
        self._origin = origin
        self._of_options = _told(options.container)

    # RUN

    def run(self, stage: StageReader, instruction: Run) -> tuple[dict[str, str], str, Work]:
        """See Makers."""
        self._refuse(instruction)
        wanted = self._wanted(stage, instruction)
        environment = stage.environment
        arguments = stage.scope.beside(environment)
        command = instruction.command if not instruction.heredocs else instruction.script
        words = settings.words_of(stage.config, command)
        told = command if isinstance(command, str) else fastjson.dumps([*command])
        inputs = {"text": f"RUN {told}", "command": fastjson.dumps(words)}
        prefix = ""
        if arguments:
            inputs["arguments"] = " ".join(f"{key}={value}" for key, value in arguments.items())
            prefix = f"|{len(arguments)} {inputs['arguments']} "
        if instruction.network not in ("", "default"):
            inputs["network"] = instruction.network
        inputs.update(self._mount_inputs(wanted.mounts))
        if self._of_options:
            inputs["options"] = self._of_options
        spec = self._spec(stage, words, arguments, instruction.network)

        def work(below: ImageRecord) -> LayerWriter:
            from podpy.build.steps.run import run

            finish = self._clock.rewrite if self._clock.rewrites else None

            def prepare(spec: ContainerSpec, stack: ExitStack) -> ContainerSpec:
                from podpy.build.steps.mounts import Mounting

                mounting = Mounting(self._engine.store, self._origin, self._engine.caller.environ, stack)
                return mounting.add(spec, wanted)

            return run(
                self._engine, below, spec, output=self._report.output, work=self._work(), finish=finish,
                prepare=prepare if wanted.mounts or wanted.program else None,
            )  # fmt: skip

        return inputs, f"{prefix}/bin/sh -c {told}", work

    def _refuse(self, instruction: Run) -> None:
        """Raise NotSupportedError for rights that the build's caller hasn't given."""
        if instruction.security not in ("", "sandbox"):
            raise NotSupportedError(
                f"RUN --security={instruction.security}: a Dockerfile gets no more rights than its caller gives",
                hint="podpy build --cap-add, --security-opt and --device give them to every RUN",
            )
        for name, is_required in devices(instruction):
            if is_required and name not in self._options.container.cdi_devices:
                raise NotSupportedError(
                    f"RUN --device={name}: the build's caller hasn't given it", hint=f"podpy build --device {name}"
                )

    def _wanted(self, stage: StageReader, instruction: Run) -> Wanted:
        from podpy.build.steps.mounts import Wanted

        if not (instruction.mounts or (instruction.heredocs and instruction.is_program)):
            return Wanted()
        from podpy.build.reading.mounts import read

        mounts = read(instruction, lambda text: stage.expand(instruction, text)) if instruction.mounts else ()
        _refuse_mounts(mounts)
        program = instruction.script if instruction.heredocs and instruction.is_program else ""
        return Wanted(mounts=mounts, program=program, secrets=self._options.secrets, agents=self._options.agents)

    def _mount_inputs(self, mounts: Sequence[Mount]) -> dict[str, str]:
        """Return what mounts add to a key: what they are, and what is in those of files. Never a secret's content."""
        if not mounts:
            return {}
        found = {"mounts": "; ".join(repr(sorted(vars(mount).items())) for mount in mounts)}
        for number, mount in enumerate(mounts):
            if mount.type == "bind" or (mount.type == "cache" and mount.from_):
                contents = self._origin(mount.from_).mount_contents(mount.source)
                found[f"files of mount {number + 1}"] = contents
        return found

    def _spec(self, stage: StageReader, words: Sequence[str], arguments: dict[str, str], network: str) -> ContainerSpec:
        variables = {"PATH": DEFAULT_PATH, **stage.environment, **arguments}
        if self._options.created is not None and self._options.passes_created:
            variables.setdefault("SOURCE_DATE_EPOCH", str(self._options.created))
        spec = self._options.container
        return spec.replace(
            command=[*words],
            entrypoint=[],
            env=variables,
            unset_env_all=True,
            workdir=stage.config.get("WorkingDir") or "/",
            create_workdir=True,
            user=stage.config.get("User") or "0",
            image_volume="ignore",
            health=_NO_CHECK,
            log_driver="none",
            systemd="false",
            passwd=False,
            network=network if network in ("none", "host") else spec.network,
        )

    # WORKDIR

    def workdir(self, stage: StageReader, path: str) -> Work:
        """See Makers. A new directory is the user's, as Podman's."""
        user = stage.config.get("User") or ""

        def work(below: ImageRecord) -> LayerWriter | None:
            from podpy.build.steps.transfer import directory_pieces
            from podpy.libpod.images.making import ImageView

            with ImageView(self._engine.store, below) as view:
                owner = _owner(view.path, user)
                pieces = directory_pieces(view.path, path, now=self._clock.seconds, owner=owner)
                return self._written(below, pieces) if pieces is not None else None

        return work

    def _written(self, below: ImageRecord, pieces: Iterator[bytes]) -> LayerWriter:
        from podpy.libpod.images.making import written_layer

        parent = below.layers[-1] if below.layers else ""
        return written_layer(self._engine.store, parent, pieces, name="the step's layer")

    # COPY and ADD

    def transfer(self, stage: StageReader, instruction: Transfer) -> tuple[dict[str, str], str, Work]:
        """See Makers."""
        reading = _Transfer(stage, instruction, self._engine.caller.environ, self._options.agents)
        origin = self._origin(reading.origin)
        digest, kind = _digest(reading, origin)
        inputs = {"text": reading.text, "destination": reading.destination, "files": digest}

        def work(below: ImageRecord) -> LayerWriter:
            return self._transferred(reading, origin, below)

        told = f"/bin/sh -c #(nop) {instruction.NAME} {kind}{digest} in {reading.destination} "
        return inputs, told, work

    def _transferred(self, reading: _Transfer, origin: Origin, below: ImageRecord) -> LayerWriter:
        from podpy.build.steps.transfer import How, LayerTar
        from podpy.libpod.images.making import ImageView

        with ExitStack() as stack:
            view = stack.enter_context(ImageView(self._engine.store, below))
            owner = _owner(view.path, reading.chown)
            how = How(
                destination=reading.destination, owner=owner, mode=reading.mode, clock=self._clock.of_file,
                now=self._clock.seconds, excluded=reading.excluded,
            )  # fmt: skip
            sources = self._sources(reading, origin, stack)
            return self._written(below, LayerTar(view.path, how).pieces(sources))

    def _sources(self, reading: _Transfer, origin: Origin, stack: ExitStack) -> list[Source | Document]:
        from podpy.build.steps.transfer import Source

        sources: list[Source | Document] = [*reading.documents]
        for address in reading.addresses:
            inner = self._unpacked(reading, address, stack) if reading.unpack else None
            sources.append(inner or reading.downloaded(address))
        sources += [self._cloned(reading, one, stack) for one in reading.repositories]
        tree = origin.tree(stack) if reading.paths else None
        for path in reading.paths:
            assert tree is not None
            keeps = origin.keeps_owners and not reading.chown
            chosen = tree.chosen(path)
            if isinstance(reading.instruction, Add) and reading.unpack is not False:
                from podpy.build.steps.unpacking import unpacked

                archives = {name: unpacked(self._engine.store, tree, name, stack) for name in chosen}
                sources += [
                    Source(tree=inner, paths=[""], keeps_owners=not reading.chown)
                    for inner in archives.values()
                    if inner is not None
                ]
                chosen = [name for name in chosen if archives[name] is None]
            sources.append(Source(tree=tree, paths=chosen, keeps_owners=keeps, parents=reading.parents))
        return sources

    def _cloned(self, reading: _Transfer, repository: Repository, stack: ExitStack) -> Source:
        from podpy.build.steps.transfer import Source
        from podpy.build.steps.tree import Tree

        target = self._engine.store.staging.new_path("repository")
        os.mkdir(target, 0o755)
        stack.callback(self._engine.store.staging.discard, target)
        return Source(tree=Tree(repository.added(target, with_history=reading.keep_git)), paths=[""])

    def _unpacked(self, reading: _Transfer, address: str, stack: ExitStack) -> Source | None:
        """Return what is in a download (ADD --unpack), None if it is no archive."""
        from podpy.build.steps.transfer import Source
        from podpy.build.steps.unpacking import unpacked_file

        tree = unpacked_file(self._engine.store, reading.fetched(address).descriptor, address, stack)
        return Source(tree=tree, paths=[""], keeps_owners=not reading.chown) if tree is not None else None


class _Transfer:
    """A COPY or ADD with its variables replaced."""

    def __init__(
        self,
        stage: StageReader,
        instruction: Transfer,
        environment: Mapping[str, str],
        agents: Mapping[str, str],
    ) -> None:
        """`environment`: the caller's; `agents`: each id's socket."""
        self.instruction = instruction
        self.addresses: list[str] = []
        self.repositories: list[Repository] = []
        self.keep_git = isinstance(instruction, Add) and bool(instruction.keep_git_dir)
        self._environment = environment
        self._agents = agents
        self.unpack = instruction.unpack if isinstance(instruction, Add) else None
        self.checksum = stage.expand(instruction, instruction.checksum) if isinstance(instruction, Add) else ""
        self.paths = self._split_addresses([stage.expand(instruction, text) for text in instruction.sources])
        self.origin = stage.expand(instruction, instruction.from_) if isinstance(instruction, Copy) else ""
        self.parents = isinstance(instruction, Copy) and instruction.parents
        self.chown = stage.expand(instruction, instruction.chown)
        chmod = stage.expand(instruction, instruction.chmod)
        self.mode = _mode(chmod)
        wanted = stage.expand(instruction, instruction.destination)
        path = settings.absolute(stage.config, wanted)
        self.destination = f"{path.rstrip('/')}/" if wanted.endswith(("/", "/.")) or wanted in (".", "") else path
        self.documents = [_document(stage, instruction, document) for document in instruction.documents]
        excludes = [stage.expand(instruction, pattern) for pattern in instruction.exclude]
        self.excluded = Rules(excludes) if excludes else None
        flags = {"from": self.origin, "chown": self.chown, "chmod": chmod, "exclude": " ".join(excludes)}
        if self.keep_git:
            flags["keep-git-dir"] = "true"
        if self.unpack is not None:
            flags["unpack"] = str(self.unpack).lower()
        told = [f"--{name}={value}" for name, value in flags.items() if value]
        told += ["--parents"] if self.parents else []
        named = (
            *self.addresses,
            *(str(one) for one in self.repositories),
            *self.paths,
            *(document.name for document in self.documents),
        )
        self.text = " ".join([instruction.NAME, *told, *named, wanted])
        self._fetched: dict[str, Fetched] = {}

    def fetched(self, address: str) -> Fetched:
        """Return what is at an address, downloaded once."""
        from podpy.build.steps.fetching import fetch

        if address not in self._fetched:
            self._fetched[address] = fetch(address, self.checksum)
        return self._fetched[address]

    def downloaded(self, address: str) -> Document:
        """Return the file of an address."""
        from podpy.build.steps.fetching import name_of
        from podpy.build.steps.transfer import Document as Made

        file = self.fetched(address)
        return Made(name=name_of(address), descriptor=file.descriptor, size=file.size, mode=_MODE_OF_DOWNLOADS, mtime=0)

    def _split_addresses(self, texts: list[str]) -> list[str]:
        """Return the sources that are neither addresses nor repositories. Raises UsageError."""
        from podpy.build.steps.fetching import is_address

        instruction = self.instruction
        if not isinstance(instruction, Add):
            return texts
        if repositories := [text for text in texts if is_added_repository(text)]:
            from podpy.build.context.git import Repository

            self.repositories = [Repository(text, self._for_git(text)) for text in repositories]
        rest = [text for text in texts if text not in repositories]
        local = [text for text in rest if not is_address(text)]
        if local and instruction.checksum:
            raise UsageError("checksum flag is not supported for local sources")
        self.addresses = [text for text in rest if is_address(text)]
        return local

    def _for_git(self, text: str) -> dict[str, str]:
        """Return the environment for git: what a Dockerfile names is asked with no key or password of the caller's, but
        for those of the agent that --ssh gives. Raises UsageError.
        """
        found = {**self._environment, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "credential.helper"}
        found.update(GIT_CONFIG_VALUE_0="", GIT_ASKPASS="true", SSH_ASKPASS="true")
        found.pop("SSH_AUTH_SOCK", None)
        if text.startswith(("git@", "ssh://")):
            if _DEFAULT_AGENT not in self._agents:
                raise UsageError(f"ADD {text}: there is no agent to log in with", hint="podpy build --ssh default")
            found["SSH_AUTH_SOCK"] = self._agents[_DEFAULT_AGENT]
        return found


def _told(container: ContainerSpec) -> str:
    """Return what options of the build change in its containers, for the key; not what only limits them."""
    usual = container.__class__().as_dict()
    found = {
        name: value for name, value in container.as_dict().items() if value != usual[name] and name not in _NO_KEYS
    }
    return fastjson.dumps(found) if found else ""


def _refuse_mounts(mounts: Sequence[Mount]) -> None:
    for mount in mounts:
        for option in mount.options:
            if option not in ("z", "Z", *_NO_PROPAGATION):  # without SELinux a relabelling has nothing to do
                raise NotSupportedError(f"RUN --mount with {option} is not supported yet")


def _document(stage: StageReader, instruction: Transfer, document: Heredoc) -> Document:
    from podpy.build.steps.transfer import Document as Made

    content = document.content
    if document.expand:
        content = stage.scope.expand_document(instruction, content, stage.environment)
    return Made(name=document.name, content=content.encode("utf-8", "surrogateescape"))


def _mode(text: str) -> Mode | None:
    from podpy.build.steps.modes import parse

    return parse(text) if text else None


def _owner(root: str, text: str) -> tuple[int, int]:
    """Return the ids of --chown, whose names are looked up in the image. Raises UsageError."""
    if not text:
        return 0, 0
    from podpy.errors import CommandNotExecutableError
    from podpy.oci.root.users import lookup

    user, colon, _group = text.partition(":")
    try:
        found = lookup(root, text if colon else user)
    except CommandNotExecutableError as error:
        raise UsageError(f'looking up UID/GID for "{text}": {error.message}') from None
    if not colon and user.isascii() and user.isdigit():
        return found.uid, found.uid  # a number alone is both
    return found.uid, found.gid


def _digest(reading: _Transfer, origin: Origin) -> tuple[str, str]:
    """Return what stands for the files in the key, and the word for their kind in the history."""
    from hashlib import sha256

    whole = sha256()
    for document in reading.documents:
        whole.update(_bytes(f"{document.name}\0{len(document.content)}\0") + document.content)
    for address in reading.addresses:
        digest = reading.checksum or reading.fetched(address).digest
        whole.update(_bytes(f"{address}\0{digest}\0"))
    for repository in reading.repositories:
        whole.update(_bytes(f"{repository}\0{repository.commit(reading.checksum)}\0"))
    kinds = ["file:"] * len(reading.documents) + [""] * (len(reading.addresses) + len(reading.repositories))
    if not isinstance(origin, ContextOrigin):
        if reading.paths:
            whole.update(origin.contents(reading.paths, owners=not reading.chown).encode())
        kinds += ["file:"] * len(reading.paths)
    else:
        tree = origin.files
        for text in reading.paths:
            for path in tree.chosen(text):
                whole.update(_bytes(f"{os.path.basename(path)}\0{tree.digest(path, owners=False)}\0"))
                kinds.append("dir:" if os.path.isdir(os.path.join(tree.root, path)) else "file:")
    return whole.hexdigest(), kinds[0] if len(kinds) == 1 else "multi:"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # names are any bytes
