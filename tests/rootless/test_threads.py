"""A library's caller has threads and must stay where it is: the work is done in a forked helper."""

from __future__ import annotations

from tests.rootless.helpers import python
from tests.support.engine import Podpy

THREADED = """
import threading, os, sys
stop = threading.Event()
threading.Thread(target=stop.wait, daemon=True).start()
from podpy import rootless
from podpy.config.paths import Paths
from podpy.errors import PodpyError, StateError
paths = Paths.find()
"""


def test_results_come_back_and_the_caller_stays(podpy: Podpy) -> None:
    """The function sees root and the user's namespace, the caller is as before; big results too."""
    code = """
before = os.readlink("/proc/self/ns/user"), os.getcwd(), os.getuid()
inside = rootless.run_inside(paths, lambda a, b: (os.getuid(), os.readlink("/proc/self/ns/user"), a + b), 2, 3)
assert inside[0] == 0 and inside[2] == 5 and inside[1] != before[0]
assert (os.readlink("/proc/self/ns/user"), os.getcwd(), os.getuid()) == before
assert len(rootless.run_inside(paths, lambda: b"x" * 3_000_000)) == 3_000_000
print(inside[1])
"""
    done = python(podpy, THREADED + code)
    assert done.ok() == podpy.ok("unshare", "readlink", "/proc/self/ns/user")
    assert done.stderr == ""


def test_errors_come_back_as_they_were(podpy: Podpy) -> None:
    """podpy's own with their hint, others with the helper's traceback as a note, unpicklable ones as text."""
    code = """
def own(): raise StateError("it runs", hint="stop it")
def other(): raise ValueError("seven")
def odd():
    class Odd(Exception):
        def __init__(self, a, b): super().__init__(a)
    raise Odd("what", 2)
for function in (own, other, odd, lambda: threading.Lock(), lambda: os._exit(3), lambda: os.kill(os.getpid(), 9)):
    try:
        rootless.run_inside(paths, function)
    except Exception as error:
        print(type(error).__name__, error, len(getattr(error, "__notes__", ())))
"""
    lines = python(podpy, THREADED + code).ok().splitlines()
    assert lines[0] == "StateError it runs. stop it 0"
    assert lines[1] == "ValueError seven 1"
    assert lines[2] == "RootlessError Odd: what 0"
    assert lines[3].startswith("RootlessError the result can't be sent back: ")
    assert "ended without an answer (exit code 3)" in lines[4]
    assert "ended without an answer (killed by SIGKILL)" in lines[5]


def test_entering_with_threads_names_the_way(podpy: Podpy) -> None:
    """The kernel's EINVAL is no help."""
    code = """
try:
    rootless.enter(paths)
except PodpyError as error:
    print(error)
"""
    said = python(podpy, THREADED + code).ok()
    assert "this process has several threads" in said
    assert "podpy.rootless.run_inside" in said


def test_helper_runs_nothing_of_the_callers_end(podpy: Podpy) -> None:
    """Neither atexit functions nor buffered output come twice."""
    code = """
import atexit
atexit.register(lambda: print("end"))
print("begin")
rootless.run_inside(paths, int)
"""
    assert python(podpy, THREADED + code).ok().splitlines() == ["begin", "end"]


def test_what_the_helper_tells_is_heard_while_it_works(podpy: Podpy) -> None:
    """In the calling thread; warnings too, from all of the helper's threads. The helper here waits for the answer."""
    code = """
from podpy import notice
heard = []
def hear(event):
    heard.append((event, threading.get_ident()))
    os.write(to_helper, b"x")
def work(tell):
    for number in range(3):
        tell(number)
        os.read(from_caller, 1)
    telling = threading.Thread(target=lambda: (notice.warn("of a thread"), tell("x" * 1_000_000)))
    telling.start()
    telling.join()
    notice.warn("of the first")
    return "end"
from_caller, to_helper = os.pipe()
with notice.sending_to(lambda text: heard.append((text, threading.get_ident()))):
    assert rootless.run_telling(paths, work, hear) == "end"
assert {thread for _, thread in heard} == {threading.get_ident()}
assert [event for event, _ in heard] == [0, 1, 2, "of a thread", "x" * 1_000_000, "of the first"]
print("done")
"""
    done = python(podpy, THREADED + code)
    assert (done.ok(), done.stderr) == ("done", "")


def test_an_error_while_hearing_ends_the_helper(podpy: Podpy) -> None:
    """So a transfer is cancelled: by Ctrl-C, or by whoever shows its progress."""
    code = """
def work(tell):
    tell(os.getpid())
    stop.wait()
def hear(pid):
    helpers.append(pid)
    raise KeyboardInterrupt
helpers = []
try:
    rootless.run_telling(paths, work, hear)
except KeyboardInterrupt:
    print(os.path.exists(f"/proc/{helpers[0]}"))
"""
    assert python(podpy, THREADED + code).ok() == "False"
