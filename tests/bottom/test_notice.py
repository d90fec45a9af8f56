"""Where a warning goes: to the engine that works in this thread, else to the process's sink, else it waits."""

from __future__ import annotations

from threading import Thread

from podpy.notice import in_thread, sending_to, take_warnings, warn


def test_each_threads_engine_gets_its_own_warnings() -> None:
    here: list[str] = []
    there: list[str] = []

    def other() -> None:
        with sending_to(there.append):
            warn("there")

    with sending_to(here.append):
        thread = Thread(target=other)
        thread.start()
        thread.join()
        warn("here")
    assert (here, there) == (["here"], ["there"])


def test_a_block_in_a_block_ends_where_it_began() -> None:
    outer: list[str] = []
    inner: list[str] = []
    with sending_to(outer.append):
        with sending_to(inner.append):
            warn("inner")
        warn("outer")
    assert (outer, inner) == (["outer"], ["inner"])


def test_without_a_sink_a_warning_waits_and_is_taken_once() -> None:
    warn("waits")
    assert take_warnings() == ["waits"]
    assert take_warnings() == []


def test_a_thread_warns_where_the_one_that_made_it_does() -> None:
    told: list[str] = []
    with sending_to(told.append):
        thread = Thread(target=in_thread(lambda: warn("from a thread")))
    thread.start()
    thread.join()
    assert told == ["from a thread"]
