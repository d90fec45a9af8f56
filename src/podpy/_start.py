"""What the launcher runs, as `python3 -I -S .../podpy/_start.py ARGUMENTS`: no `site`, no environment's paths.

`-S` saves a third of the interpreter's start and `-I` keeps PYTHONPATH, the working directory and the user's packages
out of the engine; so this file names the one directory where podpy and its dependencies are.
"""

import os
import sys

sys.path.append(os.path.dirname(os.path.dirname(__file__)))
if "podpy_site" in sys._xoptions:  # the launcher of a checkout: dependencies are elsewhere
    sys.path.append(str(sys._xoptions["podpy_site"]))


def _finish(status: int) -> None:
    """End at once: tearing the interpreter down costs milliseconds and does nothing that the kernel won't."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            status = status or 1
    os._exit(status)


if __name__ == "__main__":
    from podpy.cli.main import main

    _finish(main(sys.argv[1:]))
