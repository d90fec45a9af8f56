"""The pack, which an installed podpy starts from: what waits for its first use is found then, and is what it would be.

The engine that the other tests run is packed, too (tests/support/engine.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from podpy.pack.build import build, called
from tests.support.engine import CHECKOUT, Podpy

# Runs the statements of argv[2] in a package that is packed as podpy's is.
RUN = """
import sys
sys.path.append(sys.argv[1])
from podpy import _start
_start.use_pack()
exec(sys.argv[2])
"""


def python(site: Path | str, statements: str) -> str:
    command = [sys.executable, "-I", "-S", "-c", RUN, os.fspath(site), statements]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Packed:
    """A small package called podpy, packed, whose sources are gone: what runs comes from the pack."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.package = site / "podpy"
        self.package.mkdir()
        self.write("__init__", "")
        (self.package / "_start.py").write_text((CHECKOUT / "src/podpy/_start.py").read_text())

    def write(self, name: str, text: str) -> None:
        (self.package / f"{name}.py").write_text(text)

    def run(self, statements: str, called: dict[str, set[str]] | None = None) -> str:
        build(os.fspath(self.package), called)
        for source in self.package.glob("*.py"):
            if source.name not in ("__init__.py", "_start.py"):
                source.unlink()
        return python(self.site, statements)


@pytest.fixture
def packed(tmp_path: Path) -> Packed:
    return Packed(tmp_path)


def test_an_import_waits_for_its_first_use(packed: Packed) -> None:
    packed.write("low", "print('low is loaded')\ndef answer(): return 42\n")
    packed.write(
        "high", "from podpy.low import answer\nfrom podpy import low\ndef f(): return answer(), low.answer()\n"
    )
    said = packed.run("from podpy import high; print('high is loaded'); print(high.f(), high.f())")
    assert said == "high is loaded\nlow is loaded\n(42, 42) (42, 42)\n"


def test_what_a_module_needs_while_it_is_loaded_is_imported_at_once(packed: Packed) -> None:
    packed.write("low", "print('low is loaded')\nTABLE = {1: 2}\n")
    packed.write("high", "from podpy.low import TABLE\ndef f(x=TABLE): return x\n")
    assert packed.run("from podpy import high; print(high.f())") == "low is loaded\n{1: 2}\n"


def test_a_local_variable_of_the_same_name_is_itself(packed: Packed) -> None:
    packed.write("low", "def name(): return 'imported'\ndef other(): return 'imported'\n")
    packed.write(
        "high",
        "from podpy.low import name, other\n"
        "def f(name): return name\n"
        "def g(): return name()\n"
        "def h():\n    for other in [1, 2]: pass\n    return other\n"
        "def i(): return [name for name in 'ab'], other()\n",
    )
    said = packed.run("from podpy import high; print(high.f(1), high.g(), high.h(), high.i())")
    assert said == "1 imported 2 (['a', 'b'], 'imported')\n"


def test_a_name_that_others_import_from_here_is_here(packed: Packed) -> None:
    packed.write("low", "def answer(): return 42\n")
    packed.write("middle", "from podpy.low import answer\ndef f(): return answer()\n")
    packed.write("high", "from podpy.middle import answer\nfrom podpy import middle\ndef f(): return middle.answer()\n")
    assert packed.run("from podpy import high; print(high.f())") == "42\n"


def test_a_class_in_a_pattern_is_itself(packed: Packed) -> None:
    packed.write("low", "class Low: pass\n")
    packed.write(
        "high",
        "from podpy.low import Low\nclass Own: pass\nclass User:\n  def kind(self, thing):\n    match thing:\n"
        "      case Low(): return 1\n      case Own(): return 2\n",
    )
    said = packed.run("from podpy import high; print([high.User().kind(each()) for each in (high.Low, high.Own)])")
    assert said == "[1, 2]\n"


def test_a_number_stands_where_its_name_stood(packed: Packed) -> None:
    packed.write("low", "print('low is loaded')\nCODE = 125\nCODES = [CODE]\n")
    packed.write("high", "from podpy.low import CODE\nTABLE = {CODE: 'failed'}\ndef f(x=CODE): return x\n")
    assert packed.run("from podpy import high; print(high.TABLE, high.f())") == "{125: 'failed'} 125\n"


def test_numbers_of_modules_need_no_import(packed: Packed) -> None:
    packed.write("low", "print('low is loaded')\nCODE = 125\n")
    packed.write(
        "high",
        "import errno\nfrom errno import EPERM\nfrom podpy import low\nTABLE = {low.CODE: EPERM}\n"
        "def f(x=errno.ENOENT): return x\n",
    )
    said = packed.run("import sys; from podpy import high; print(high.TABLE, high.f(), 'errno' in vars(high))")
    assert said == "{125: 1} 2 False\n"
    packed.write("high", "import errno\ndef f(): return errno.errorcode[errno.EPERM]\n")
    assert packed.run("from podpy import high; print(high.f())") == "EPERM\n"


CLASSES = """
def make(text):
    try:
        raise Special(text)
    except Base as error:
        return error
class Base(Exception):
    def here(self):
        return isinstance(self, Special), type(self) is Special
class Special(Base):
    pass
"""


def test_a_class_is_made_at_its_first_use_and_once(packed: Packed) -> None:
    packed.write("low", CLASSES)
    packed.write("high", "from podpy.low import Base, Special\nclass More(Special): pass\n")
    said = packed.run(
        "from podpy import low, high; print('Special' in vars(low)); error = low.make('x'); "
        "print(type(error) is low.Special, error.here(), low.Special.__module__, low.Special.__qualname__, "
        "issubclass(high.More, low.Base)); import pickle; print(repr(pickle.loads(pickle.dumps(error))))"
    )
    assert said == "False\nTrue (True, True) podpy.low Special True\nSpecial('x')\n"


def test_a_module_without_a_name_says_so(packed: Packed) -> None:
    packed.write("low", CLASSES)
    said = packed.run(
        "from podpy import low\ntry: low.nothing\nexcept AttributeError as error: print(error)\n"
        "try: from podpy.low import Nothing\nexcept ImportError as error: print('ImportError')\n"
    )
    assert said == "module 'podpy.low' has no attribute 'nothing'\nImportError\n"


def test_threads_that_use_a_class_first_get_the_same_one(packed: Packed) -> None:
    packed.write("low", CLASSES)
    packed.write("high", "from podpy import low\ndef f(): return low.Special\n")
    said = packed.run(
        "import threading, sys; sys.setswitchinterval(1e-6)\nfrom podpy import high\ngot = []\n"
        "gate = threading.Barrier(8)\n"
        "def work():\n    gate.wait()\n    got.append(high.f())\n"
        "all = [threading.Thread(target=work) for _ in range(8)]\n"
        "for one in all: one.start()\nfor one in all: one.join()\nprint(len(got), len(set(got)))"
    )
    assert said == "8 1\n"


def test_a_traceback_names_the_lines_of_the_source(packed: Packed) -> None:
    packed.write("low", "\n\ndef fail():\n    raise Wrong('no')\nclass Wrong(Exception): pass\n")
    packed.write("high", "from podpy import low\n\ndef f():\n\n    low.fail()\n")
    said = packed.run(
        "import traceback\nfrom podpy import high\ntry: high.f()\n"
        "except Exception as error: print(*[f'{f.filename}:{f.lineno} {f.name}' for f in "
        "traceback.extract_tb(error.__traceback__)][1:], sep='\\n')"
    )
    assert said == "podpy/high.py:5 f\npodpy/low.py:4 fail\n"


EVERYTHING = """
import marshal, re, sys
pack = sys.meta_path[0]
later = __builtins__.__podpy_later__ if hasattr(__builtins__, "__podpy_later__") else __builtins__["__podpy_later__"]
targets = set()
def walk(code):
    for value in code.co_consts:
        if isinstance(value, str) and re.fullmatch(r"podpy[\\w.]*:\\w*", value):
            targets.add(value)
        elif isinstance(value, bytes) and value[:1] == b"\\xe3":
            walk(marshal.loads(value))
        elif hasattr(value, "co_consts"):
            walk(value)
import os
for name in pack.names:
    number = pack.index[name]
    offset, size = pack.table[number:number + 2]
    if size:
        walk(marshal.loads(os.pread(pack.file, size, pack.code + offset)))
for target in sorted(targets):
    later[target]
print(len(pack.names), len(targets))
"""


def test_everything_that_waits_can_be_had(podpy: Podpy) -> None:
    placed = podpy.launcher.parents[2]
    site = placed if (placed / "podpy/cli").is_dir() else CHECKOUT / "src"
    libraries = [path for path in sys.path if path.endswith("-packages")]
    modules, targets = map(int, python(site, f"sys.path += {libraries!r}\n{EVERYTHING}").split())
    assert modules > 300
    assert targets > 500


VARIABLES = """
import sys
before = set(sys.modules)
sys.path.append(sys.argv[1])
from podpy import _start
import os
print(sorted(name for name in set(sys.modules) - before if not name.startswith("podpy")))

os.environ.clear()
os.environ["A"] = "1"
os.environ.update({"B": "2"}, C="3")
os.environ |= {"D": "4"}
assert "A" in os.environ and "Z" not in os.environ and len(os.environ) == 4
assert list(os.environ) == list(os.environ.keys()) == ["A", "B", "C", "D"]
assert list(os.environ.values()) == ["1", "2", "3", "4"] and ("B", "2") in os.environ.items()
assert os.environ == dict(os.environ) == os.environ.copy() and os.environ != {}
assert os.environ.get("Z") is None and os.environ.get("Z", "z") == "z" and os.environ.get("A") == "1"
assert os.environ.setdefault("A", "9") == "1" and os.environ | {"E": "5"} == {**os.environ, "E": "5"}
assert os.environ.pop("A") == "1" and os.environ.pop("A", None) is None and os.environ.popitem() == ("B", "2")
try:
    os.environ.pop("A")
except KeyError:
    print(os.environ)

import collections.abc, pathlib, subprocess
assert isinstance({}, collections.abc.Mapping) and isinstance(pathlib.Path("x"), os.PathLike)
assert not isinstance("x", os.PathLike)
print(subprocess.run(["/bin/sh", "-c", "echo $C$D"], env=os.environ, capture_output=True, text=True).stdout.strip())
"""


def test_the_environment_is_a_mapping_though_no_abstract_classes_are_made_at_the_start() -> None:
    command = [sys.executable, "-I", "-S", "-c", VARIABLES, os.fspath(CHECKOUT / "src")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded, left, told = done.stdout.splitlines()
    assert "_collections_abc" not in loaded
    assert left == "environ({'C': '3', 'D': '4'})"
    assert told == "34"


def test_byte_code_of_the_start_loads_nothing_that_only_a_compiler_needs(packed: Packed) -> None:
    packed.run("")
    (byte_code,) = packed.package.glob("_start.*.pyc")
    run = "import runpy, sys; runpy.run_path(sys.argv[1]); print('__future__' in sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", run, os.fspath(byte_code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr


def test_an_import_in_a_function_needs_no_importlib(packed: Packed) -> None:
    packed.write("low", "ANSWER = 42\ndef answer(): return 42\n")
    packed.write(
        "high",
        "def f():\n    from podpy import low\n    from podpy.low import answer as other\n    return low.answer, other\n"
        "class C:\n    def g(self):\n        from podpy.low import ANSWER\n        return ANSWER\n",
    )
    said = packed.run(
        "from podpy import high; import _frozen_importlib; _frozen_importlib._find_and_load = None\n"
        "one, other = high.f(); print(one is other, one(), high.C().g())"
    )
    assert said == "True 42 42\n"


def test_functions_that_no_everyday_command_calls_are_made_at_their_first_use(packed: Packed) -> None:
    packed.write(
        "low",
        "LIMIT = 3\ndef often(): return rarely(4)\ndef rarely(x, y=LIMIT): return x * y\n"
        "def needed(): return 5\nSIZE = needed()\nclass C:\n    def m(self): return rarely(1, 2)\n"
        "async def later(): return 7\n",
    )
    packed.write("other", "def f(): return 1\n")
    packed.write("high", "from podpy.low import rarely\nRARELY = rarely\n")
    said = packed.run(
        "from podpy import low, other; print([n for n in ('often', 'rarely', 'needed', 'later') if n in vars(low)])\n"
        "print(low.often(), low.C().m(), 'rarely' in vars(low), 'f' in vars(other))\n"
        "from podpy import high; "
        "print(high.RARELY is low.rarely, low.rarely.__module__, low.rarely.__code__.co_firstlineno)",
        {"podpy.low": {"often"}},
    )
    assert said == "['often', 'needed']\n12 2 True True\nTrue podpy.low 3\n"


def test_what_everyday_commands_call_is_still_there() -> None:
    """Else the list is old: tests/cli/test_import_budget.py says how to write it anew."""
    gone = []
    for module, functions in called().items():
        source = CHECKOUT / "src" / module.replace(".", "/")
        path = next((path for path in (source.with_suffix(".py"), source / "__init__.py") if path.exists()), None)
        text = path.read_text() if path else ""
        gone += [f"{module}:{name}" for name in functions if f"def {name}(" not in text and f"class {name}" not in text]
    assert len(gone) < 50, gone


def test_a_module_that_is_not_there_is_said_to_be_missing(packed: Packed) -> None:
    packed.write(
        "high", "def f():\n    try:\n        from podpy.low import x\n    except ImportError as e: return e.name\n"
    )
    assert packed.run("from podpy import high; print(high.f())") == "podpy.low\n"


def test_a_module_that_is_not_in_the_pack_is_found(packed: Packed) -> None:
    declare = packed.package / "cli/declare"
    declare.mkdir(parents=True)
    for path in (declare.parent, declare):
        (path / "__init__.py").write_text("")
    packed.write("high", "def f():\n    from podpy.cli import declare\n    return declare.__name__\n")
    assert packed.run("from podpy import high; print(high.f())") == "podpy.cli.declare\n"


def test_c_modules_are_found_without_listing_their_directories(packed: Packed) -> None:
    said = packed.run(
        "at_first = [*sys.path_importer_cache]; import _queue; print([*sys.path_importer_cache] == at_first)\n"
        "from importlib.machinery import PathFinder; print(PathFinder.find_spec('_queue').origin == _queue.__file__)"
    )
    assert said == "True\nTrue\n"
