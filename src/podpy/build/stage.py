"""A stage's instructions → its steps, each with its key, before anything is done.

What an instruction says about the image needs no files, so all keys of a stage are known at once, and one query tells
which steps are cached.
"""

from __future__ import annotations

from podpy import fastjson
from podpy.build import keys, settings
from podpy.build.options import StepName
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podpy.build.reading.instructions import (
        Arg,
        Cmd,
        Entrypoint,
        Env,
        Expose,
        Healthcheck,
        Instruction,
        Label,
        Maintainer,
        Onbuild,
        Run,
        Shell,
        Stopsignal,
        Transfer,
        User,
        Volume,
        Workdir,
    )
    from podpy.build.variables import Scope
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.writer import LayerWriter

    Work = Callable[["ImageRecord"], "LayerWriter | None"]


class Step(Record):
    """One step. `config`, `arguments`: the image's settings and the ARGs after it.

    `work`: makes its layer on an image; None: it has none.
    """

    name: StepName
    key: str
    inputs: dict[str, str]
    config: dict[str, Any]
    created_by: str
    author: str = ""
    work: Work | None = None
    arguments: dict[str, str] = {}


class Makers:
    """Makes the work of those instructions that make layers; build.py has the one that does. Each returns what its key
    depends on besides the text, how history tells it, and the work.
    """

    def run(self, stage: StageReader, instruction: Run) -> tuple[dict[str, str], str, Work]:
        """RUN."""
        raise NotImplementedError

    def transfer(self, stage: StageReader, instruction: Transfer) -> tuple[dict[str, str], str, Work]:
        """COPY and ADD."""
        raise NotImplementedError

    def workdir(self, stage: StageReader, path: str) -> Work:
        """WORKDIR."""
        raise NotImplementedError


class StageReader:
    """Reads one stage's instructions in order. Its attributes are what holds at that moment."""

    def __init__(self, makers: Makers, scope: Scope, config: dict[str, Any], *, key: str, author: str = "") -> None:
        self.scope = scope
        self.config = config
        self.key = key
        self.author = author
        self.steps: list[Step] = []
        self.without_value: list[str] = []
        self._makers = makers
        self._has_own_command = False

    @property
    def environment(self) -> dict[str, str]:
        """The image's variables."""
        return settings.environment(self.config)

    def expand(self, instruction: Instruction, text: str) -> str:
        """Return a text with the variables of this moment."""
        return self.scope.expand(instruction, text, self.environment)

    def read(self, instruction: Instruction, name: StepName) -> None:
        """Add an instruction's step. Raises UsageError."""
        self.config = {**self.config}
        told = _READERS[instruction.NAME](self, instruction)
        if isinstance(told, str):
            told = ({"text": told}, f"/bin/sh -c #(nop) {told}", None)
        self._add(name, *told)

    def add_settings(self, name: StepName, text: str) -> None:
        """Add a step for what the command line has changed in `config`."""
        self._add(name, {"text": text}, f"/bin/sh -c #(nop) {text}", None)

    def _add(self, name: StepName, inputs: dict[str, str], created_by: str, work: Work | None) -> None:
        self.key = keys.following(self.key, inputs)
        step = Step(
            name=name, key=self.key, inputs=inputs, config=self.config, created_by=created_by, author=self.author,
            work=work, arguments=self.scope.beside(self.environment),
        )  # fmt: skip
        self.steps.append(step)

    # What makes layers

    def _run(self, instruction: Run) -> tuple[dict[str, str], str, Work]:
        return self._makers.run(self, instruction)

    def _transfer(self, instruction: Transfer) -> tuple[dict[str, str], str, Work]:
        return self._makers.transfer(self, instruction)

    def _workdir(self, instruction: Workdir) -> tuple[dict[str, str], str, Work]:
        path = settings.absolute(self.config, self.expand(instruction, instruction.path))
        self.config["WorkingDir"] = path
        return {"text": f"WORKDIR {path}"}, f"/bin/sh -c #(nop) WORKDIR {path}", self._makers.workdir(self, path)

    # What is only said

    def _arg(self, instruction: Arg) -> str:
        self.without_value += self.scope.declare(instruction, self.environment)
        return "ARG " + " ".join(pair.key for pair in instruction.pairs)

    def _env(self, instruction: Env) -> str:
        pairs = self._pairs(instruction)
        settings.set_environment(self.config, dict(pairs))
        self.scope.set(key for key, _ in pairs)
        return "ENV " + _told(pairs)

    def _label(self, instruction: Label) -> str:
        pairs = self._pairs(instruction)
        settings.set_labels(self.config, dict(pairs))
        return "LABEL " + _told(pairs)

    def _pairs(self, instruction: Env | Label) -> list[tuple[str, str]]:
        return [
            (self.expand(instruction, pair.key), self.expand(instruction, pair.value or ""))
            for pair in instruction.pairs
        ]

    def _cmd(self, instruction: Cmd) -> str:
        self._has_own_command = True
        self.config["Cmd"] = settings.words_of(self.config, instruction.command) if instruction.command else []
        return f"CMD {_form(instruction.command)}"

    def _entrypoint(self, instruction: Entrypoint) -> str:
        settings.set_entrypoint(self.config, instruction.command, keep_command=self._has_own_command)
        return f"ENTRYPOINT {_form(instruction.command)}"

    def _expose(self, instruction: Expose) -> str:
        words = [self.scope.expand_words(instruction, text, self.environment) for text in instruction.ports]
        ports = [port for some in words for port in some]
        settings.add_ports(self.config, ports)
        return f"EXPOSE {' '.join(ports)}"

    def _user(self, instruction: User) -> str:
        self.config["User"] = self.expand(instruction, instruction.user)
        return f"USER {self.config['User']}"

    def _volume(self, instruction: Volume) -> str:
        paths = [self.expand(instruction, path) for path in instruction.paths]
        settings.add_volumes(self.config, paths)
        return f"VOLUME {' '.join(paths)}"

    def _shell(self, instruction: Shell) -> str:
        self.config["Shell"] = [*instruction.words]
        return f"SHELL {_form(instruction.words)}"

    def _stopsignal(self, instruction: Stopsignal) -> str:
        text = self.expand(instruction, instruction.signal)
        settings.set_stop_signal(self.config, text)
        return f"STOPSIGNAL {text}"

    def _healthcheck(self, instruction: Healthcheck) -> str:
        times = {
            "Interval": instruction.interval,
            "Timeout": instruction.timeout,
            "StartPeriod": instruction.start_period,
            "StartInterval": instruction.start_interval,
            "Retries": instruction.retries,
        }
        settings.set_health_check(self.config, instruction.test, times)
        return f"HEALTHCHECK {instruction.original.partition(' ')[2].strip()}"

    def _onbuild(self, instruction: Onbuild) -> str:
        self.config["OnBuild"] = [*(self.config.get("OnBuild") or ()), instruction.expression]
        return f"ONBUILD {instruction.expression}"

    def _maintainer(self, instruction: Maintainer) -> str:
        self.author = self.expand(instruction, instruction.name)
        return f"MAINTAINER {self.author}"


_READERS: dict[str, Callable[[StageReader, Any], str | tuple[dict[str, str], str, Work | None]]] = {
    "ADD": StageReader._transfer,
    "ARG": StageReader._arg,
    "CMD": StageReader._cmd,
    "COPY": StageReader._transfer,
    "ENTRYPOINT": StageReader._entrypoint,
    "ENV": StageReader._env,
    "EXPOSE": StageReader._expose,
    "HEALTHCHECK": StageReader._healthcheck,
    "LABEL": StageReader._label,
    "MAINTAINER": StageReader._maintainer,
    "ONBUILD": StageReader._onbuild,
    "RUN": StageReader._run,
    "SHELL": StageReader._shell,
    "STOPSIGNAL": StageReader._stopsignal,
    "USER": StageReader._user,
    "VOLUME": StageReader._volume,
    "WORKDIR": StageReader._workdir,
}


def _told(pairs: Sequence[tuple[str, str]]) -> str:
    return " ".join(f"{key}={fastjson.dumps(value)}" for key, value in pairs)


def _form(command: str | Sequence[str]) -> str:
    return command if isinstance(command, str) else fastjson.dumps([*command])
