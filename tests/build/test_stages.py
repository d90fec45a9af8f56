"""Stages: what they begin with, what they take from others, which a target needs; and what is odd in a file.

The warnings and the errors about stages are those of Docker 28.5.
"""

from __future__ import annotations

import time

import pytest

from podpy.build.reading.lint import check, undefined
from podpy.build.reading.parser import parse
from podpy.build.reading.stages import Stages, before_first
from podpy.errors import BuildFileError, UsageError
from tests.build.building import Builder


def stages_of(text: str, *, contexts: tuple[str, ...] = (), **values: str) -> Stages:
    """Return the stages of a file."""
    return Stages(parse(text.encode(), "f").instructions, values, contexts)


def needed(text: str, target: str = "", **values: str) -> list[int]:
    """Return the stages that a target needs, in their order."""
    stages = stages_of(text, **values)
    return [stage.index for stage in stages.needed(stages.target(target))]


NEEDED = [
    ("FROM a AS x\nFROM b\n", "", [1]),
    ("FROM a AS x\nFROM x\n", "", [0, 1]),
    ("FROM a AS Base\nFROM BASE\n", "", [0, 1]),
    ("FROM a AS x\nFROM b AS y\nFROM c\nCOPY --from=x /a /\n", "", [0, 2]),
    ("FROM a\nFROM b AS y\nFROM c\nCOPY --from=0 /a /\n", "", [0, 2]),
    ("FROM a AS x\nFROM b AS y\nFROM c AS z\n", "y", [1]),
    ("FROM a AS x\nFROM b AS y\nFROM c AS z\n", "0", [0]),
    ("FROM a AS x\nFROM b\nRUN --mount=from=x,target=/x true\n", "", [0, 1]),
    ("FROM a\nRUN --mount=from=later,target=/x true\nFROM b AS later\nFROM c\nCOPY --from=0 / /\n", "", [1, 0, 2]),
    ("FROM a AS x\nFROM b AS x\nFROM x\n", "", [1, 2]),
    ("FROM a AS x\nFROM b\nCOPY --from=nginx / /\n", "", [1]),
    ("FROM s AS files\nFROM a AS base\nONBUILD COPY --from=files /a /\nFROM base\n", "", [0, 1, 2]),
    ("FROM x AS x\n", "", [0]),
]


@pytest.mark.parametrize(("text", "target", "order"), NEEDED)
def test_only_what_a_target_needs_is_built(text: str, target: str, order: list[int]) -> None:
    assert needed(text, target) == order


ERRORS = [
    ("FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nFROM x\n",
     '2:6: cannot copy from stage "y", it needs to be defined before current stage "x"'),
    ("FROM a AS x\nCOPY --from=5 / /\n", "2:6: invalid stage index 5"),
    ("FROM a AS x\nCOPY --from=0 / /\n",
     '2:6: cannot copy from stage "0", it needs to be defined before current stage "x"'),
    ("FROM a AS x\nCOPY --from=$y / /\n", "2:6: variable expansion is not supported for --from"),
    ("FROM a AS x\nRUN --mount=from=y,target=/y true\nFROM b AS y\nCOPY --from=x / /\n",
     "1:1: circular dependency detected on stage: x"),
    ("FROM a AS x\nRUN --mount=from=x,target=/y true\n", "1:1: circular dependency detected on stage: x"),
    ("FROM $none\n", "1:6: base name ($none) should not be blank"),
    ("FROM --platform=$none a\n", "1:17: empty platform value from expression $none"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_what_can_not_be_built_is_told_before_the_first_step(text: str, message: str) -> None:
    with pytest.raises(BuildFileError) as caught:
        needed(text)
    assert caught.value.message == f"f:{message}"


def test_a_target_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UsageError) as caught:
        needed("FROM a AS x\nFROM b\n", "nope")
    assert caught.value.message == 'The target "nope" was not found in the provided Dockerfile'
    assert caught.value.hint == "Its stages: x, 1"


def test_variables_before_the_first_stage_are_froms() -> None:
    text = "ARG v=1\nARG w\nFROM --platform=$p a:$v AS x\nARG n\nFROM x\n"
    assert [pair.key for arg in before_first(parse(text.encode(), "f").instructions) for pair in arg.pairs] == [
        "v",
        "w",
    ]
    first, second = stages_of(text, v="2", p="linux/arm64").all
    assert (first.image, first.platform, first.base) == ("a:2", "linux/arm64", None)
    assert (second.image, second.base) == ("x", 0)


def test_a_context_can_stand_for_a_stage() -> None:
    stages = stages_of("FROM a AS x\nFROM b AS y\nCOPY --from=x / /\nFROM y\n", contexts=("y",))
    assert [stage.index for stage in stages.needed(2)] == [1, 2]


def test_many_stages_are_sorted_fast() -> None:
    text = "FROM scratch AS s0\n" + "".join([f"FROM s{n} AS s{n + 1}\nCOPY --from={n} / /\n" for n in range(20_000)])
    began = time.process_time()
    assert len(needed(text)) == 20_001
    assert time.process_time() - began < 20


WARNINGS = [
    ("FROM scratch as A\nFROM scratch AS a\nMaintainer x\nENV a b\nCMD echo $q\nENV P=1 API_TOKEN=1\n", [
        (1, "FromAsCasing", "'as' and 'FROM' keywords' casing do not match"),
        (1, "StageNameCasing", "Stage name 'A' should be lowercase"),
        (2, "DuplicateStageName", 'Duplicate stage name "a", stage names should be unique'),
        (3, "ConsistentInstructionCasing",
         "Command 'Maintainer' should match the case of the command majority (uppercase)"),
        (3, "MaintainerDeprecated", "Maintainer instruction is deprecated in favor of using label"),
        (4, "LegacyKeyValueFormat", '"ENV key=value" should be used instead of legacy "ENV key value" format'),
        (5, "JSONArgsRecommended",
         "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals"),
        (6, "SecretsUsedInArgOrEnv", 'Do not use ARG or ENV instructions for sensitive data (ENV "API_TOKEN")'),
    ]),
    ("FROM scratch\nWORKDIR a\nCMD [\"a\"]\nCMD [\"b\"]\nWORKDIR b\n", [
        (2, "WorkdirRelativePath", 'Relative workdir "a" can have unexpected results if the base image changes'),
        (3, "MultipleInstructionsDisallowed", "Multiple CMD instructions should not be used in the same stage because "
         "only the last one will be used"),
    ]),
    ("FROM scratch AS scratch\nEXPOSE 80/TCP 1.2.3.4:80:90\nARG SECRET\nARG PUBLIC_KEY\n", [
        (1, "ReservedStageName", 'Stage name should not use the same name as reserved stage "scratch"'),
        (2, "ExposeInvalidFormat", "EXPOSE instruction should not define an IP address or host-port mapping, found "
         "'1.2.3.4:80:90'"),
        (2, "ExposeProtoCasing", "Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"),
        (3, "SecretsUsedInArgOrEnv", 'Do not use ARG or ENV instructions for sensitive data (ARG "SECRET")'),
    ]),
    ("FROM --platform=$TARGETPLATFORM scratch\nFROM --platform=linux/amd64 scratch\n"
     "FROM --platform=linux/arm64 x AS arm64\n", [
        (1, "RedundantTargetPlatform", "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is "
         "the default behavior"),
        (2, "FromPlatformFlagConstDisallowed", 'FROM --platform flag should not use constant value "linux/amd64"'),
    ]),
    ("FROM scratch\nLABEL a=1 \\\n\n b=2\n", [
        (4, "NoEmptyContinuation", "Empty continuation line found in: LABEL a=1  b=2"),
    ]),
    ("from scratch\nLabel a=b\nLABEL c=d\nlabel e=f\n", [
        (2, "ConsistentInstructionCasing", "Command 'Label' should match the case of the command majority (lowercase)"),
        (3, "ConsistentInstructionCasing", "Command 'LABEL' should match the case of the command majority (lowercase)"),
    ]),
    ('FROM x\nSHELL ["bash", "-c"]\nCMD a\nENTRYPOINT ["a"]\n', []),
    ("# check=skip=JSONArgsRecommended, MaintainerDeprecated\nFROM x\nMAINTAINER x\nCMD a\n", []),
    ("# check=skip=all\nFROM x\nMAINTAINER x\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "warnings"), WARNINGS)
def test_what_is_odd_is_told_in_buildkits_words(text: str, warnings: list[tuple[int, str, str]]) -> None:
    found = [(one.line, one.rule, one.message) for one in check(parse(text.encode(), "f"))]
    assert sorted(found) == sorted(warnings)


def test_warnings_are_errors_if_the_file_says_so() -> None:
    with pytest.raises(BuildFileError, match="f:3:1: lint violation found for rules: MaintainerDeprecated"):
        check(parse(b"# check=error=true\nFROM x\nMAINTAINER x\n", "f"))
    with pytest.raises(BuildFileError, match='invalid check option "foo"'):
        check(parse(b"# check=foo\nFROM x\n", "f"))


def test_a_variable_without_a_value_is_told_with_the_nearest_one() -> None:
    start, user = parse(b"FROM x:$VERSON\nUSER $foo\n", "f").instructions
    told = [one.message for one in undefined(start, {"VERSON"}, ["VERSION"]) + undefined(user, {"foo"}, [])]
    assert told == [
        "FROM argument 'VERSON' is not declared (did you mean $VERSION?)", "Usage of undefined variable '$foo'",
    ]  # fmt: skip


def test_what_is_copied_of_a_stage_counts_by_its_contents(build: Builder) -> None:
    """A stage that is done again, and makes the same file, costs the next one nothing."""
    text = "FROM localhost/busybox AS made\nCOPY src /src\nRUN mkdir /o; wc -l < /src > /o/n; {}\n"
    text += "FROM localhost/busybox\nCOPY --from=made {} /there/\nRUN cat /there/* > /result\n"
    build.write({"src": "one\n"})
    first = build.ok(text.format("true", "/o/n"), base="")
    build.write({"src": "two\n"})
    told = build(text.format("true", "/o/n"), base="").ok()
    assert told.splitlines()[-1] == first and told.count("--> Using cache") == 2  # COPY --from and RUN
    build.write({"src": "two\nthree\n"})
    changed = build.ok(text.format("true", "/o/n"), base="", timeout=60)
    assert changed != first and build.read(changed, "result") == b"2\n"
    for change in ("chmod 600 /o/n", "chown 5:6 /o/n", "ln /o/n /o/m", "ln -s n /o/m"):
        other = build(text.format(change, "/o/"), base="").ok()
        assert other.count("--> Using cache") == 1, change  # COPY src alone
    pruned = build.podpy("builder", "prune", "--force")
    assert pruned.returncode == 0 and "--> Using cache" not in build(text.format("true", "/o/n"), base="").ok()
