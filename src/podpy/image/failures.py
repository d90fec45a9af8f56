"""Errors of several tries as one, and errors that say which image, archive or document they are about."""

from __future__ import annotations

from podpy.errors import ImageError, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def together(failures: Sequence[PodpyError]) -> PodpyError:
    """Return what to raise when everything that was tried has failed (one thing at least): of the last one's class."""
    last = failures[-1]
    if len(failures) == 1:
        return last
    texts = "; ".join(error.message for error in failures)
    return type(last)(f"{len(failures)} errors: {texts}", hint=last.hint)


class Naming:
    """Inside it, an ImageError says what it is about: `name` comes first, unless it is empty or in the text already."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, ImageError) and self._name and self._name not in error.message:
            raise type(error)(f"{self._name}: {error.message}", hint=error.hint) from None
