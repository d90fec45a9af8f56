"""What a Dockerfile says: one object for each instruction, with the words as they are written.

Variables in them aren't expanded: that needs the values of the moment when an instruction is carried out.
"""

from __future__ import annotations

from bisect import bisect_right

from podpy.errors import BuildFileError
from podpy.record import Record


class Place(Record):
    """Where an instruction stands.

    `line` and `last_line` count from 1 and include here-documents. `spans` tells for parts of `Instruction.original`
    where they stand: (offset in it, line, column), by offset.
    """

    file: str
    line: int
    last_line: int
    spans: tuple[tuple[int, int, int], ...]

    def at(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character of the instruction's text."""
        start, line, column = self.spans[max(bisect_right(self.spans, (offset, 1 << 62, 0)) - 1, 0)]
        return line, column + offset - start

    def wrong(self, offset: int, message: str, *, hint: str = "") -> BuildFileError:
        """Return the error about what stands at `offset`."""
        line, column = self.at(offset)
        return BuildFileError.at(self.file, line, column, message, hint=hint)


class Heredoc(Record):
    """A here-document. `text` is as written, with its line ends; `chomp`: `<<-`; `expand`: its word has no quotes."""

    name: str
    text: str
    expand: bool
    chomp: bool

    @property
    def content(self) -> str:
        """The text without the tabs that `<<-` takes from each line."""
        if not self.chomp:
            return self.text
        return "".join([line.lstrip("\t") for line in self.text.splitlines(keepends=True)])


class Pair(Record):
    """`key=value`, quotes and all. `value` is None for an ARG without one; `spaced`: written as `ENV key value`."""

    key: str
    value: str | None
    spaced: bool = False


class Instruction(Record):
    """One instruction. `original`: its text in one line, continuation lines joined, without here-documents.

    `keyword` is its first word as written. `comments` stand right above it.
    """

    NAME = ""

    place: Place
    original: str
    keyword: str
    escape: str = "\\"
    comments: tuple[str, ...] = ()

    def wrong(self, message: str, word: str = "", *, hint: str = "") -> BuildFileError:
        """Return the error about `word` of this instruction, or about the whole."""
        return self.place.wrong(max(self.original.find(word), 0), message, hint=hint)


class From(Instruction):
    """`name` is in lower case, as names of stages are compared, or "". `image` may name an earlier stage."""

    NAME = "FROM"
    image: str
    platform: str = ""
    name: str = ""


class Run(Instruction):
    """`command`: a text for the shell, or the words of the exec form.

    `mounts` are texts, since they may hold variables.
    """

    NAME = "RUN"
    command: str | tuple[str, ...]
    heredocs: tuple[Heredoc, ...] = ()
    mounts: tuple[str, ...] = ()
    network: str = ""  # default, none, host
    security: str = ""  # sandbox, insecure
    devices: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The text for the shell, here-documents included; "" for the exec form.

        A command that is one here-document and nothing else is that document (BuildKit, dispatchRun). If it begins
        with `#!`, it is a program of its own: `is_program`.
        """
        if not isinstance(self.command, str):
            return ""
        if self._is_document:
            return self.heredocs[0].content
        return "\n".join([self.command, *[document.text + document.name for document in self.heredocs]])

    @property
    def is_program(self) -> bool:
        """Whether the script is to be executed as a file, for its first line names its interpreter."""
        return self._is_document and self.heredocs[0].content.startswith("#!")

    @property
    def _is_document(self) -> bool:
        if len(self.heredocs) != 1 or not isinstance(self.command, str):
            return False
        text = self.command.lstrip("0123456789")
        return text.startswith("<<") and text.lstrip("<-").strip().strip("\"'") == self.heredocs[0].name


class Transfer(Instruction):
    """What COPY and ADD have in common. `documents` are sources, too, each a file of its name."""

    sources: tuple[str, ...]
    destination: str
    documents: tuple[Heredoc, ...] = ()
    chown: str = ""
    chmod: str = ""
    link: bool = False
    exclude: tuple[str, ...] = ()


class Copy(Transfer):
    """`from_`: a stage's name or index, an image, or a named context; "" for the main context."""

    NAME = "COPY"
    from_: str = ""
    parents: bool = False


class Add(Transfer):
    """`unpack` and `keep_git_dir`: None if nothing is said."""

    NAME = "ADD"
    checksum: str = ""
    keep_git_dir: bool | None = None
    unpack: bool | None = None


class Env(Instruction):
    NAME = "ENV"
    pairs: tuple[Pair, ...]


class Label(Instruction):
    NAME = "LABEL"
    pairs: tuple[Pair, ...]


class Arg(Instruction):
    NAME = "ARG"
    pairs: tuple[Pair, ...]


class Cmd(Instruction):
    """`command`: a text for the shell (perhaps ""), or the words of the exec form (perhaps none)."""

    NAME = "CMD"
    command: str | tuple[str, ...]


class Entrypoint(Instruction):
    """`command` as Cmd's."""

    NAME = "ENTRYPOINT"
    command: str | tuple[str, ...]


class Expose(Instruction):
    """`ports`: words, in order; one may expand to several."""

    NAME = "EXPOSE"
    ports: tuple[str, ...]


class User(Instruction):
    NAME = "USER"
    user: str


class Workdir(Instruction):
    NAME = "WORKDIR"
    path: str


class Volume(Instruction):
    NAME = "VOLUME"
    paths: tuple[str, ...]


class Shell(Instruction):
    NAME = "SHELL"
    words: tuple[str, ...]


class Healthcheck(Instruction):
    """`test`: ("NONE",), ("CMD-SHELL", text) or ("CMD", word, …). Times in nanoseconds; 0: not said."""

    NAME = "HEALTHCHECK"
    test: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class Onbuild(Instruction):
    """`expression`: what the image records; `instruction`: the same, read."""

    NAME = "ONBUILD"
    expression: str
    instruction: Instruction


class Stopsignal(Instruction):
    NAME = "STOPSIGNAL"
    signal: str


class Maintainer(Instruction):
    NAME = "MAINTAINER"
    name: str


class Lint(Record):
    """What is legal and probably not meant. `rule` is BuildKit's name for it (`# check=skip=RULE`)."""

    rule: str
    message: str
    file: str
    line: int


class Dockerfile(Record):
    """A whole file. `directives`: syntax, escape, check → their values, if given; `instructions`: at least one."""

    file: str
    directives: dict[str, str]
    instructions: tuple[Instruction, ...]
    warnings: tuple[Lint, ...] = ()
