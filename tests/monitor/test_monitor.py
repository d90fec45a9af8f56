"""What conmon says on the sync pipe, as podpy reads it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from podpy.monitor.start import StartConmon

Says = Callable[..., StartConmon]


@pytest.fixture
def says() -> Iterator[Says]:
    """Return a StartConmon on whose sync pipe conmon has said something and, unless `more` may come, has ended."""
    started = []

    def say(text: bytes, *, more: bool = False) -> StartConmon:
        conmon = StartConmon(lambda: pytest.fail("nothing is started"))
        conmon.sync_pipe, conmon.start_pipe = os.pipe()  # the write end goes where close() closes it
        started.append(conmon)
        os.write(conmon.start_pipe, text)
        if not more:
            os.close(conmon.start_pipe)
            conmon.start_pipe = -1
        return conmon

    yield say
    for conmon in started:
        conmon.close()


def test_the_first_line_is_the_answer_when_both_come_at_once(says: Says) -> None:
    conmon = says(b'{"data": 204}\n{"data": 0}\n')
    assert conmon.answer() == b'{"data": 204}'
    assert conmon.answer() == b'{"data": 204}'


def test_a_piece_of_the_second_line_is_not_waited_for(says: Says) -> None:
    assert says(b'{"data": 204}\n{"da', more=True).answer() == b'{"data": 204}'


def test_the_answer_does_not_wait_for_the_end(says: Says) -> None:
    assert says(b'{"data": 204}\n', more=True).answer() == b'{"data": 204}'


def test_what_a_conmon_that_died_has_said(says: Says) -> None:
    assert says(b"Killed").answer() == b"Killed"
    assert says(b"").answer() == b""
