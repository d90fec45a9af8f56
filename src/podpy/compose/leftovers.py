"""What an earlier conversion of a compose file has written, and nothing in the file asks for any more."""

from __future__ import annotations

import os

from podpy import files
from podpy.compose.service import LABEL
from podpy.quadlet.keys import ending
from podpy.quadlet.problems import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MARK = f"Label={LABEL}.project="
_MOST = 1 << 20  # bytes of a file that are looked at: what the generator reads


def left_behind(made: Mapping[str, str], directory: str) -> list[Problem]:
    """Return a warning for each of Quadlet's files in `directory` that is of the same project, by its label, but isn't
    among those that were `made`. A .build has no label, and harms nobody.
    """
    marks = {line for text in made.values() for line in text.splitlines() if line.startswith(_MARK)}
    found = []
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if ending(name) and name not in made and marks & set(files.read_small(path, _MOST).splitlines()):
            text = "is of the same project, but nothing in the compose file asks for it any more: it stays"
            found.append(Problem(path=path, line=0, text=text, hint=f"rm {path}", fatal=False))
    return found
