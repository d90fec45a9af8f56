"""Combines the errors of several tries, and adds the name of an image, archive or document to an error."""

from __future__ import annotations

from podpy.errors import ImageError, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def combined(failures: Sequence[PodpyError]) -> PodpyError:
    """Return the error to raise when all tries (at least one) have failed; it has the class of the last one."""
    last = failures[-1]
    if len(failures) == 1:
        return last
    texts = "; ".join(error.message for error in failures)
    return type(last)(f"{len(failures)} errors: {texts}", hint=last.hint)


class ErrorPrefix:
    """A context that puts `name` before an ImageError's message, unless it is empty or in the message already."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, ImageError) and self._name and self._name not in error.message:
            raise type(error)(f"{self._name}: {error.message}", hint=error.hint) from None
