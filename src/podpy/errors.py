"""The one exception tree, and the exit codes.

    PodpyError                    125   podpy itself failed
    ├── UsageError                125   bad option, bad value, options that exclude each other
    ├── ConfigError               125   a configuration file can't be read or is wrong
    ├── NotFoundError             125   no such container, image, volume (`exists`, `inspect`: 1)
    │   ├── NoSuchContainerError
    │   ├── NoSuchImageError
    │   │   └── NotANameError           and none ever will: what was given can't be a name (`rmi`, `exists`: 125)
    │   └── NoSuchArtifactError
    ├── InUseError                125   a name that is taken, an image that a container uses (`rmi`: 2)
    ├── StateError                125   a container is in the wrong state for this
    ├── AttachError               125   nobody takes a container's output any more (`run`: 126)
    ├── StorageError              125   layers, blobs, mounts, the database
    │   ├── DigestMismatchError
    │   ├── BrokenTarError             a layer's tar makes no sense
    │   └── NoSpaceError               the store's file system is full
    ├── ImageError                125   a reference, manifest, configuration or archive that can't be used
    │   ├── TrustError                  what policy.json doesn't let in
    │   └── RegistryError               what a registry answered
    │       └── AuthenticationError
    ├── NetworkSetupError         125
    ├── RootlessError             125   the user's namespaces can't be made or joined
    ├── OperationError            125   one step of a plan failed (quotes the step)
    ├── RuntimeFailedError        125   the OCI runtime or conmon failed
    │   ├── CommandNotExecutableError  126
    │   └── CommandNotFoundError       127
    └── NotSupportedError         125   what this host, or this version of podpy, can't do

Every error is one line: what failed, why, and (`hint`) what to do about it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_FAILURE = 125
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
EXIT_SIGNAL_BASE = 128


class PodpyError(Exception):
    """What podpy reports to its user.

    `message` says what failed and why, without a full stop; `hint` says what to do (a command to type, if there is
    one), or is empty.
    """

    exit_code = EXIT_FAILURE
    already_told = False  # a child that shares our stderr has said it there: the command line doesn't say it again

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


def together(failures: Sequence[PodpyError]) -> PodpyError:
    """Return what to raise when everything that was tried has failed (one thing at least): of the last one's class."""
    last = failures[-1]
    if len(failures) == 1:
        return last
    texts = "; ".join(error.message for error in failures)
    return type(last)(f"{len(failures)} errors: {texts}", hint=last.hint)


class UsageError(PodpyError):
    """The command line, or a library call, makes no sense. `see` is Podman's line about where the help is, or empty."""

    see = ""


class ConfigError(PodpyError):
    """A configuration file can't be read or says something impossible."""


class NotFoundError(PodpyError):
    """An object with this name or id doesn't exist."""


class NoSuchContainerError(NotFoundError):
    """No container has this name or id."""


class NoSuchImageError(NotFoundError):
    """No image in the store has this name or id."""


class NotANameError(NoSuchImageError):
    """No image can have this name, and it is no id."""


class NoSuchArtifactError(NotFoundError):
    """No artifact in the store has this name or digest."""


class InUseError(PodpyError):
    """Something else uses this name, image, layer, port or directory."""


class SeveralNamesError(InUseError):
    """An id was given to remove an image that has several names."""


class StateError(PodpyError):
    """The container's state doesn't allow this."""


class AttachError(PodpyError):
    """What an attached container writes can't be passed on: the reader of a pipe has gone, a file is full."""


class StorageError(PodpyError):
    """Layers, blobs, mounts or the database."""


class DigestMismatchError(StorageError):
    """What arrived isn't what its digest says."""


class BrokenTarError(StorageError):
    """A layer's tar makes no sense: it was made so, or its bytes aren't what they were."""


class NoSpaceError(StorageError):
    """The store's file system is full. The hint names what works then, too (storage/reserve.py)."""

    def __init__(self, message: str, *, hint: str = "Make room: podpy system prune --all, podpy rm, podpy rmi") -> None:
        super().__init__(message, hint=hint)


class ImageError(PodpyError):
    """A reference, manifest, image configuration or archive that can't be used."""


class Naming:
    """Inside it, an ImageError says what it is about: `name` comes first, unless it is empty or in the text already."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, ImageError) and self._name and self._name not in error.message:
            raise type(error)(f"{self._name}: {error.message}", hint=error.hint) from None


class TrustError(ImageError):
    """An image that policy.json rejects, or that lacks the signature it demands."""


class RegistryError(ImageError):
    """What a registry answered, or that it didn't."""


class AuthenticationError(RegistryError):
    """The registry wants credentials, or other ones."""


class NetworkSetupError(PodpyError):
    """The container's network can't be set up."""


class RootlessError(PodpyError):
    """The user's namespaces can't be made or joined."""


class OperationError(PodpyError):
    """One step of a plan failed."""


class RuntimeFailedError(PodpyError):
    """The OCI runtime or conmon failed."""


class CommandNotExecutableError(RuntimeFailedError):
    """The container's command exists but can't be executed."""

    exit_code = EXIT_NOT_EXECUTABLE


class CommandNotFoundError(RuntimeFailedError):
    """The container's command doesn't exist."""

    exit_code = EXIT_NOT_FOUND


class NotSupportedError(PodpyError):
    """This host, or this version of podpy, can't do it."""
