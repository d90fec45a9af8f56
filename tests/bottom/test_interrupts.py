"""An interrupt by a signal reaches the work that it is to end, wherever that is."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

from tests.support.engine import CHECKOUT


def program(text: str) -> subprocess.CompletedProcess[str]:
    """Run a program with podpy's modules."""
    code = f"import sys; sys.path.insert(0, {str(CHECKOUT / 'src')!r})\n" + textwrap.dedent(text)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_one_that_a_callback_swallows_comes_again() -> None:
    ran = program("""
        import signal, weakref
        from podpy.interrupts import interrupt_on
        class Thing: pass
        interrupt_on(signal.SIGTERM)
        thing = Thing()
        reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
        del thing
        try:
            while True:
                signal.pause()
        except KeyboardInterrupt:
            print("heeded")
    """)
    assert ran.stdout == "heeded\n" and "Exception ignored in" in ran.stderr


def test_nothing_interrupts_what_is_being_undone() -> None:
    ran = program("""
        import signal
        from podpy.interrupts import Undoing, interrupt_on
        interrupt_on(signal.SIGTERM)
        with Undoing():
            signal.raise_signal(signal.SIGTERM)
            print("undone", signal.getitimer(signal.ITIMER_REAL)[0] > 0)
        print(signal.getitimer(signal.ITIMER_REAL)[0])
    """)
    assert (ran.stdout, ran.returncode) == ("undone True\n0.0\n", 0)


def test_undoing_that_hangs_ends_the_process() -> None:
    ran = program("""
        import signal
        from podpy import interrupts
        interrupts._PATIENCE = 0.01
        interrupts.interrupt_on(signal.SIGTERM)
        with interrupts.Undoing():
            while True:
                signal.pause()
    """)
    assert ran.returncode == -signal.SIGALRM


def test_two_things_may_be_undone_one_after_the_other() -> None:
    ran = program("""
        import signal
        from podpy.interrupts import Undoing, interrupt_on
        interrupt_on(signal.SIGTERM)
        for _ in range(2):
            with Undoing():
                signal.raise_signal(signal.SIGTERM)
                print("undone", signal.getitimer(signal.ITIMER_REAL)[0] > 0)
    """)
    assert (ran.stdout, ran.returncode) == ("undone True\nundone True\n", 0)


def test_a_process_without_interrupts_is_left_alone() -> None:
    ran = program("""
        import signal
        from podpy.interrupts import Undoing
        with Undoing():
            print(signal.getitimer(signal.ITIMER_REAL), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    """)
    assert ran.stdout == "(0.0, 0.0) True\n"
