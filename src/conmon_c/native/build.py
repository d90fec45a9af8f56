"""What cffi builds `podpy._native` from: every file in this directory.

`NAME.cdef`   the declarations that Python sees (`lib.function`), in cffi's C subset
`NAME.h`      if there is one, it's included in the generated module in place of `NAME.cdef`'s text: needed when the
              declarations use cffi's `...` or types of system headers
`*.c`         compiled and linked into the module

So each concern brings its own files and touches nobody else's.
"""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
SOURCES = Path("src/conmon_c/native")  # relative to setup.py, which setuptools asks for
FLAGS = ["-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]

# What cffi generates isn't ours to mend: its functions ignore arguments that Python's calling convention gives them.
PREAMBLE = """
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wcast-function-type"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
"""


def declaration_text(cdef: Path) -> str:
    """Return the C text that declares to the generated module what `cdef` declares to Python."""
    header = cdef.with_suffix(".h")
    return f'#include "{header}"' if header.exists() else cdef.read_text()


def builder() -> FFI:
    """Return the FFI object that setuptools' cffi_modules asks for."""
    cdefs = sorted(HERE.glob("*.cdef"))
    ffi = FFI()
    for cdef in cdefs:
        ffi.cdef(cdef.read_text())
    ffi.set_source(
        "podpy._native",
        PREAMBLE + "\n".join(declaration_text(cdef) for cdef in cdefs),
        sources=sorted(str(SOURCES / path.name) for path in HERE.glob("*.c")),
        depends=sorted(str(SOURCES / path.name) for path in [*HERE.glob("*.h"), *cdefs]),
        extra_compile_args=FLAGS,
    )
    return ffi


ffibuilder = builder()
