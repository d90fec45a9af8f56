"""What is legal in a Dockerfile and probably not meant: BuildKit's rules, by its names, that need no image.

`# check=skip=RULE,RULE;error=true` at the top of a file leaves rules out (`all`: every one), and makes them mistakes.
"""

from __future__ import annotations

import re

from podpy.build.reading.instructions import (
    Arg,
    Cmd,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Instruction,
    Label,
    Lint,
    Maintainer,
    Shell,
    Workdir,
)
from podpy.errors import BuildFileError
from podpy.go.values import boolean
from podpy.suggest import similar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from podpy.build.reading.instructions import Dockerfile

_RESERVED = ("context", "scratch")
_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE
)
_NO_SECRET = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE)
_ONCE = (Cmd, Entrypoint, Healthcheck)


def check(file: Dockerfile) -> list[Lint]:
    """Return the warnings about a file, by line. Raises BuildFileError for wrong options, or with `error=true`."""
    skipped, is_error = _options(file)
    found = [*file.warnings, *_casing(file), *_names(file), *_in_stages(file)]
    found += [lint for instruction in file.instructions for lint in _about(instruction)]
    wanted = sorted([one for one in found if not skipped & {one.rule, "all"}], key=lambda one: one.line)
    if wanted and is_error:
        first = wanted[0]
        raise BuildFileError.at(
            first.file, first.line, 1, f"lint violation found for rules: {first.rule}: {first.message}",
            hint="The file says check=error=true",
        )  # fmt: skip
    return wanted


def undefined(instruction: Instruction, names: Iterable[str], known: Iterable[str]) -> list[Lint]:
    """Return the warnings about variables of an instruction that have no value."""
    options = [*known]
    rule = "UndefinedArgInFrom" if isinstance(instruction, From) else "UndefinedVar"
    found = []
    for name in sorted(names):
        close = similar(name, options)
        meant = f" (did you mean ${close}?)" if close else ""
        told = f"FROM argument '{name}' is not declared" if rule == "UndefinedArgInFrom" else ""
        found.append(_lint(instruction, rule, (told or f"Usage of undefined variable '${name}'") + meant))
    return found


def _options(file: Dockerfile) -> tuple[set[str], bool]:
    """Return (rules to skip, whether warnings are errors)."""
    skipped: set[str] = set()
    is_error = False
    text = file.directives.get("check", "").strip()
    for option in text.split(";", 2) if text else ():
        key, _, value = option.partition("=")
        try:
            if key.strip() == "skip":
                skipped = {rule.strip() for rule in value.split(",")}
            elif key.strip() == "error":
                is_error = boolean(value.strip())
            elif key.strip() != "experimental":
                raise ValueError
        except ValueError:
            raise BuildFileError.at(file.file, 1, 1, f'invalid check option "{option}"') from None
    return skipped, is_error


def _lint(instruction: Instruction, rule: str, message: str) -> Lint:
    return Lint(rule=rule, message=message, file=instruction.place.file, line=instruction.place.line)


def _casing(file: Dockerfile) -> Iterator[Lint]:
    """Yield those whose keyword isn't written as most are."""
    lower = sum(one.keyword.islower() for one in file.instructions)
    upper = sum(one.keyword.isupper() for one in file.instructions)
    wanted, casing = (str.lower, "lowercase") if lower > upper else (str.upper, "uppercase")
    for one in file.instructions:
        if one.keyword != wanted(one.keyword):
            told = f"Command '{one.keyword}' should match the case of the command majority ({casing})"
            yield _lint(one, "ConsistentInstructionCasing", told)


def _names(file: Dockerfile) -> Iterator[Lint]:
    """Yield what is odd in FROMs."""
    seen: set[str] = set()
    for one in file.instructions:
        if not isinstance(one, From):
            continue
        if one.name:
            *_, keyword, name = one.original.split()
            if name != name.lower():
                yield _lint(one, "StageNameCasing", f"Stage name '{name}' should be lowercase")
            if one.keyword in (one.keyword.lower(), one.keyword.upper()) and one.keyword.islower() != keyword.islower():
                yield _lint(one, "FromAsCasing", f"'{keyword}' and '{one.keyword}' keywords' casing do not match")
            if one.name in _RESERVED:
                told = f'Stage name should not use the same name as reserved stage "{one.name}"'
                yield _lint(one, "ReservedStageName", told)
            if one.name in seen:
                told = f'Duplicate stage name "{one.name}", stage names should be unique'
                yield _lint(one, "DuplicateStageName", told)
            seen.add(one.name)
        if one.platform in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
            told = f"Setting platform to predefined {one.platform} in FROM is redundant as this is the default behavior"
            yield _lint(one, "RedundantTargetPlatform", told)
        elif one.platform and "$" not in one.platform and not any(p in one.name for p in one.platform.split("/")):
            told = f'FROM --platform flag should not use constant value "{one.platform}"'
            yield _lint(one, "FromPlatformFlagConstDisallowed", told)


def _in_stages(file: Dockerfile) -> Iterator[Lint]:
    """Yield what is odd because of what else is in its stage."""
    last: dict[type[Instruction], Instruction] = {}
    has_shell = has_workdir = False
    for one in file.instructions:
        if isinstance(one, From):
            last = {}
            has_shell = has_workdir = False
        elif isinstance(one, Shell):
            has_shell = True
        elif isinstance(one, Workdir):
            if not has_workdir and not one.path.startswith(("/", "$")):
                told = f'Relative workdir "{one.path}" can have unexpected results if the base image changes'
                yield _lint(one, "WorkdirRelativePath", told)
            has_workdir = True
        elif isinstance(one, _ONCE):
            if type(one) in last:
                told = f"Multiple {one.NAME} instructions should not be used in the same stage"
                told += " because only the last one will be used"
                yield _lint(last[type(one)], "MultipleInstructionsDisallowed", told)
            last[type(one)] = one
            if isinstance(one, Cmd | Entrypoint) and isinstance(one.command, str) and not has_shell:
                told = f"JSON arguments recommended for {one.NAME} to prevent unintended behavior related to OS signals"
                yield _lint(one, "JSONArgsRecommended", told)


def _about(one: Instruction) -> Iterator[Lint]:
    """Yield what is odd in an instruction by itself."""
    if isinstance(one, Maintainer):
        told = "Maintainer instruction is deprecated in favor of using label"
        yield _lint(one, "MaintainerDeprecated", told)
    if isinstance(one, Env | Label) and one.pairs[0].spaced:
        told = f'"{one.NAME} key=value" should be used instead of legacy "{one.NAME} key value" format'
        yield _lint(one, "LegacyKeyValueFormat", told)
    if isinstance(one, Env | Arg):
        for pair in one.pairs:
            if _SECRET.search(pair.key) and not _NO_SECRET.search(pair.key):
                told = f'Do not use ARG or ENV instructions for sensitive data ({one.NAME} "{pair.key}")'
                yield _lint(one, "SecretsUsedInArgOrEnv", told)
    if isinstance(one, Expose):
        for port in one.ports:
            protocol = port.rpartition("/")[2]
            if "/" in port and "$" not in port and protocol != protocol.lower():
                told = f"Defined protocol '{port}' in EXPOSE instruction should be lowercase"
                yield _lint(one, "ExposeProtoCasing", told)
            if ":" in port and "$" not in port:
                told = f"EXPOSE instruction should not define an IP address or host-port mapping, found '{port}'"
                yield _lint(one, "ExposeInvalidFormat", told)
