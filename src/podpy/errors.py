"""The one exception tree: each class with its exit code and its `code`, a word for programs that never changes.

    PodpyError                       125  failed                podpy itself failed
    ├── UsageError                   125  usage                 bad option or value, options that exclude each other
    │   ├── TemplateError                 bad-template          a Go template (podpy/go/template/errors.py)
    │   └── BuildFileError                bad-build-file        a Dockerfile: it names file, line and column
    ├── ConfigError                  125  bad-configuration     a configuration file can't be read or is wrong
    ├── NotFoundError                125  not-found             no such object (`exists`, `inspect`: 1)
    │   ├── NoSuchContainerError          no-such-container
    │   ├── NoSuchImageError              no-such-image
    │   │   ├── NotANameError             not-an-image-name     and none ever will: it can't be a name (`rmi`: 125)
    │   │   ├── NoSuchInstanceError       no-such-instance      an index has no such image, or it isn't here
    │   │   └── ImageGoneError            image-gone            it was removed after it was found
    │   ├── NoSuchArtifactError           no-such-artifact
    │   ├── NoSuchVolumeError             no-such-volume
    │   ├── NoSuchNetworkError            no-such-network
    │   ├── NoSuchPodError                no-such-pod
    │   └── NoSuchSecretError             no-such-secret
    ├── AmbiguousNameError           125  ambiguous-name        the beginning of an id or name fits several objects
    ├── InUseError                   125  in-use                a taken name, an image that a container uses (`rmi`: 2)
    │   └── SeveralNamesError             several-names         an id was given to remove an image with several names
    ├── StateError                   125  wrong-state           the container's state doesn't allow it
    │   ├── AlreadyError                  already               it is in the state that was asked for
    │   └── PodPartsError                 pod-parts             some of a pod's containers failed (has their errors)
    ├── AttachError                  125  attach                nobody takes a container's output any more (`run`: 126)
    ├── StorageError                 125  storage               layers, blobs, mounts, the database
    │   ├── DigestMismatchError           digest-mismatch
    │   ├── BrokenTarError                broken-tar            a layer's tar makes no sense
    │   └── NoSpaceError                  no-space              the store's file system is full
    ├── ImageError                   125  bad-image             a reference, manifest, configuration or archive
    │   ├── UnknownFormatError            unknown-format        it is no archive with images in it
    │   ├── NotAListError                 not-an-index          the image of this name is no index
    │   ├── NoPlatformError               no-platform           an index has nothing for the platform that is wanted
    │   ├── TrustError                    not-trusted           what policy.json doesn't let in
    │   └── RegistryError                 registry              what a registry answered, or that it didn't
    │       ├── NotThereError             not-in-registry       the registry answers, and doesn't have it
    │       ├── ManifestRefusedError      manifest-refused      the registry doesn't take this manifest
    │       └── AuthenticationError       unauthorized          it wants credentials, or other ones
    │           └── NoHelperError         no-credential-helper  the program that keeps them isn't there
    ├── NetworkSetupError            125  network
    ├── ClusterError                 125  cluster               what a Kubernetes cluster answered, or that it didn't
    ├── RootlessError                125  rootless              the user's namespaces can't be made or joined
    ├── OperationError               125  operation             one step of a plan failed (quotes the step)
    ├── RuntimeFailedError           125  runtime               the OCI runtime or conmon failed
    │   ├── CommandNotExecutableError 126 not-executable
    │   └── CommandNotFoundError     127  command-not-found
    ├── ContainerError               125  container-failed      what `containers.run` ran failed; has its exit_status
    ├── StepFailedError              125  step-failed           a step of a build; with RUN's own exit code
    └── NotSupportedError            125  not-supported         what this host, or this version of podpy, can't do

Every error is one line: what failed and why, in Podman's words where it has some; and (`hint`) what to do about it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

EXIT_FAILURE = 125
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
EXIT_SIGNAL_BASE = 128
IMPROPER = "container state improper"


class PodpyError(Exception):
    """What podpy reports to its user.

    `message` says what failed and why, without a full stop; `hint` says what to do (a command to type, if there is
    one), or is empty. `code` tells programs which kind of error it is.
    """

    code = "failed"
    exit_code = EXIT_FAILURE
    already_told = False  # a child that shares our stderr has said it there: the command line doesn't say it again

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(PodpyError):
    """The command line, or a library call, makes no sense. `see` is Podman's line about where the help is, or empty."""

    code = "usage"
    see = ""


class BuildFileError(UsageError):
    """A Dockerfile that can't be used: "FILE:LINE:COLUMN: what is wrong".

    `file`, `line` and `column` (from 1) say where; `reason` is the text without the place, in BuildKit's words where it
    has some.
    """

    code = "bad-build-file"
    file = reason = ""
    line = column = 0

    @classmethod
    def at(cls, file: str, line: int, column: int, reason: str, *, hint: str = "") -> Self:
        """Return the error about a place in a file."""
        error = cls(f"{file}:{line}:{column}: {shorten(reason, 400)}", hint=hint)
        error.file, error.line, error.column, error.reason = file, line, column, reason
        return error


class ConfigError(PodpyError):
    """A configuration file can't be read or says something impossible."""

    code = "bad-configuration"


class NotFoundError(PodpyError):
    """An object with this name or id doesn't exist."""

    code = "not-found"


class NoSuchContainerError(NotFoundError):
    """No container has this name or id."""

    code = "no-such-container"


class NoSuchImageError(NotFoundError):
    """No image in the store has this name or id."""

    code = "no-such-image"


class NotANameError(NoSuchImageError):
    """No image can have this name, and it is no id."""

    code = "not-an-image-name"


class NoSuchInstanceError(NoSuchImageError):
    """The index is here, but not the image that it names for a platform; or it names none."""

    code = "no-such-instance"


class ImageGoneError(NoSuchImageError):
    """The image was removed after it was found."""

    code = "image-gone"


class NoSuchArtifactError(NotFoundError):
    """No artifact in the store has this name or digest."""

    code = "no-such-artifact"


class NoSuchVolumeError(NotFoundError):
    """No volume has this name."""

    code = "no-such-volume"


class NoSuchNetworkError(NotFoundError):
    """No network has this name or id."""

    code = "no-such-network"


class NoSuchPodError(NotFoundError):
    """No pod has this name or id."""

    code = "no-such-pod"


class NoSuchSecretError(NotFoundError):
    """No secret has this name or id."""

    code = "no-such-secret"


class AmbiguousNameError(PodpyError):
    """The beginning of an id, or of a name, fits several objects."""

    code = "ambiguous-name"


class InUseError(PodpyError):
    """Something else uses this name, image, layer, port or directory."""

    code = "in-use"


class SeveralNamesError(InUseError):
    """An id was given to remove an image that has several names."""

    code = "several-names"


class StateError(PodpyError):
    """The container's state doesn't allow this."""

    code = "wrong-state"

    @classmethod
    def improper(cls, message: str, *, hint: str = "") -> Self:
        """Return the error with the end that Podman gives all of this kind, which programs look for."""
        return cls(f"{message}: {IMPROPER}", hint=hint)


class AlreadyError(StateError):
    """The container is in the state that was asked for: a start of one that runs."""

    code = "already"


class PodPartsError(StateError):
    """Something failed for some of a pod's containers; `parts` are their errors, `ids` theirs, if that is known."""

    code = "pod-parts"

    def __init__(
        self, message: str, *, hint: str = "", parts: Iterable[PodpyError] = (), ids: Iterable[str] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.parts = [*parts]
        self.ids = [*ids]


class AttachError(PodpyError):
    """What an attached container writes can't be passed on: the reader of a pipe has gone, a file is full."""

    code = "attach"


class StorageError(PodpyError):
    """Layers, blobs, mounts or the database."""

    code = "storage"


class DigestMismatchError(StorageError):
    """What arrived isn't what its digest says."""

    code = "digest-mismatch"


class BrokenTarError(StorageError):
    """A layer's tar makes no sense: it was made so, or its bytes aren't what they were."""

    code = "broken-tar"


class NoSpaceError(StorageError):
    """The store's file system is full. The hint names what works then, too (storage/database/reserve.py)."""

    code = "no-space"

    def __init__(self, message: str, *, hint: str = "Make room: podpy system prune --all, podpy rm, podpy rmi") -> None:
        super().__init__(message, hint=hint)


class ImageError(PodpyError):
    """A reference, manifest, image configuration or archive that can't be used."""

    code = "bad-image"


class UnknownFormatError(ImageError):
    """It is no archive with images in it."""

    code = "unknown-format"


class NotAListError(ImageError):
    """The image of this name is no index."""

    code = "not-an-index"


class NoPlatformError(ImageError):
    """An index has nothing for the platform that is wanted."""

    code = "no-platform"


class TrustError(ImageError):
    """An image that policy.json rejects, or that lacks the signature it demands."""

    code = "not-trusted"


class RegistryError(ImageError):
    """What a registry answered, or that it didn't."""

    code = "registry"


class NotThereError(RegistryError):
    """The registry answers, and doesn't have it."""

    code = "not-in-registry"


class ManifestRefusedError(RegistryError):
    """The registry doesn't take this manifest: perhaps another format of it."""

    code = "manifest-refused"


class AuthenticationError(RegistryError):
    """The registry wants credentials, or other ones."""

    code = "unauthorized"


class NoHelperError(AuthenticationError):
    """The program that keeps the credentials isn't there."""

    code = "no-credential-helper"


class ClusterError(PodpyError):
    """What a Kubernetes cluster answered, or that it didn't."""

    code = "cluster"


class NetworkSetupError(PodpyError):
    """The container's network can't be set up."""

    code = "network"


class RootlessError(PodpyError):
    """The user's namespaces can't be made or joined."""

    code = "rootless"


class OperationError(PodpyError):
    """One step of a plan failed."""

    code = "operation"


class RuntimeFailedError(PodpyError):
    """The OCI runtime or conmon failed."""

    code = "runtime"


class CommandNotExecutableError(RuntimeFailedError):
    """The container's command exists but can't be executed."""

    code = "not-executable"
    exit_code = EXIT_NOT_EXECUTABLE


class CommandNotFoundError(RuntimeFailedError):
    """The container's command doesn't exist."""

    code = "command-not-found"
    exit_code = EXIT_NOT_FOUND


class ContainerError(PodpyError):
    """The command that a program waited for failed: `exit_status` is its exit code, `stderr` what it wrote there."""

    code = "container-failed"

    def __init__(self, message: str, *, hint: str = "", exit_status: int = EXIT_FAILURE, stderr: bytes = b"") -> None:
        super().__init__(message, hint=hint)
        self.exit_status = exit_status
        self.stderr = stderr


class StepFailedError(PodpyError):
    """A step of a build failed. A RUN's exit code is the build's."""

    code = "step-failed"

    def __init__(self, message: str, *, hint: str = "", exit_code: int = EXIT_FAILURE) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


class NotSupportedError(PodpyError):
    """This host, or this version of podpy, can't do it."""

    code = "not-supported"


def shorten(text: str, length: int = 120) -> str:
    """Return text fit for an error line: printable, at most `length` characters."""
    clean = "".join(c if c.isprintable() else "?" for c in text[: length + 1])
    return clean if len(clean) <= length else clean[:length] + "…"
