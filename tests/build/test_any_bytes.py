"""No bytes in a Dockerfile or an ignore file take the reader's time or end in an error without a place."""

from __future__ import annotations

import random
import time

import pytest

from podpy.build.reading import ignore, lint
from podpy.build.reading.instructions import Run
from podpy.build.reading.mounts import read
from podpy.build.reading.parser import parse
from podpy.build.reading.stages import Stages
from podpy.errors import BuildFileError

PIECES = [
    b"FROM x", b"RUN ", b"COPY ", b"ENV ", b"ARG a=", b"\n", b"\n", b"\n", b"\\\n", b"<<EOF", b"<<-'E'",
    b"\nEOF\n", b"# ", b"escape=`", b"[", b'"', b"'", b"]", b"{", b"--from=", b"--mount=type=cache,", b"--",
    b"$", b"${a", b":-", b"}", b"\0", b"\xff", b"\xe2\x80\xa8", b"\r", b"\t", b" ", b"ONBUILD ",
    b"HEALTHCHECK ", b"CMD ", b"=", b",", b"AS x", b"\xef\xbb\xbf", b"SHELL ", b"LABEL ", b"a", b"((", b"<",
    b"!", b"**", b"/", b"EXPOSE ", b"VOLUME ", b"USER ", b"\x0b", b"\x85",
]  # fmt: skip


def use(data: bytes) -> None:
    """Do all that is done with a file before its first step."""
    file = parse(data, "f")
    stages = Stages(file.instructions, {"a": "b"})
    stages.needed(stages.target(""))
    lint.check(file)
    for instruction in file.instructions:
        for number in range(len(instruction.original)):
            assert instruction.place.at(number)[0] >= 1
        if isinstance(instruction, Run):
            _ = instruction.script, instruction.is_program
            read(instruction, str)


def test_random_files_are_read_or_refused() -> None:
    letters = random.Random(11)
    for _ in range(2000):
        data = b"".join(letters.choices(PIECES, k=letters.randrange(40)))
        for text in (data, b"FROM x\n" + data):
            try:
                use(text)
            except BuildFileError as error:
                assert error.line >= 1
                assert "\n" not in error.message


def test_random_ignore_files_are_read_or_refused() -> None:
    letters = random.Random(12)
    for _ in range(2000):
        data = b"".join(letters.choices(PIECES, k=letters.randrange(20)))
        try:
            rules = ignore.parse(data, "f")
        except BuildFileError:
            continue
        for path in ("a", "a/b", "FROM x/a", "\udcff"):
            rules.ignores(path)
            rules.may_keep_below(path)


LENGTH = 1 << 18
LARGE = {
    "one line": b"FROM x\nRUN " + b"a" * LENGTH,
    "blanks": b"FROM x\nRUN " + b" " * LENGTH,
    "words": b"FROM x\nCOPY " + b"a " * (LENGTH // 2),
    "pairs": b"FROM x\nENV " + b"a=b " * (LENGTH // 4),
    "continuation lines": b"FROM x\nRUN " + b"\\\n" * (LENGTH // 2),
    "escapes": b"FROM x\nENV a=" + b"\\" * LENGTH,
    "here-documents": b"FROM x\n" + b"RUN <<E\nE\n" * (LENGTH // 10),
    "here-documents in a line": b"FROM x\nRUN " + b"<<E " * (LENGTH // 6) + b"\n" + b"E\n" * (LENGTH // 6),
    "here-documents without an end": b"FROM x\nRUN " + b"<<E " * (LENGTH // 4),
    "less-thans": b"FROM x\nRUN " + b"<" * LENGTH,
    "brackets": b"FROM x\nCMD " + b"[" * LENGTH,
    "JSON": b"FROM x\nCMD [" + b'"a",' * (LENGTH // 4) + b'"a"]',
    "digits": b"FROM x\nCMD [" + b"1" * LENGTH + b"]",
    "quotes": b"FROM x\nLABEL a=" + b"'" * (LENGTH // 2 * 2),
    "flags": b"FROM x\nRUN " + b"--mount=a " * (LENGTH // 10) + b"x",
    "instructions": b"FROM x\n" + b"USER a\n" * (LENGTH // 7),
    "comments": b"FROM x\n" + b"# a\n" * (LENGTH // 4),
    "unknown": b"FROM x\n" + b"A" * LENGTH,
    "onbuild": b"FROM x\n" + b"ONBUILD " * (LENGTH // 8),
    "stages": b"FROM x AS y\n" * (LENGTH // 12),
    "retries": b"FROM x\nHEALTHCHECK --retries=" + b"1" * LENGTH + b" CMD a",
    "shifts": b"FROM x\nRUN " + b"$((<< a" * (LENGTH // 7),
}


@pytest.mark.parametrize("data", LARGE.values(), ids=LARGE)
def test_a_long_file_takes_no_time_that_grows_with_its_square(data: bytes) -> None:
    began = time.process_time()
    try:
        use_without_places(data)
    except BuildFileError:
        pass
    assert time.process_time() - began < 20  # CPU; it takes a tenth of that


def use_without_places(data: bytes) -> None:
    """Read a file, its stages and what is odd in it."""
    file = parse(data, "f")
    stages = Stages(file.instructions, {})
    stages.needed(stages.target(""))
    lint.check(file)
