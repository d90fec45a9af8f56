"""`POST /build` as Docker's classic builder has it, libpod's, and what is done with the cache."""

from __future__ import annotations

from podpy.api.building import asked, sent
from podpy.api.building.leaving import end_with
from podpy.api.building.lines import DockerLines, Lines
from podpy.api.call import Answer
from podpy.api.errors import HttpError, message_of
from podpy.build.build import Build
from podpy.errors import BuildFileError, PodpyError, StepFailedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.build.context.fetch import Fetched
    from podpy.build.options import BuildOptions


def build(call: Call) -> None:
    """Build an image, in the words of Docker's classic builder; version 2: with a client's session."""
    if call.query["version"] == "2":
        from podpy.api.buildkit import posted

        posted.build(call)
        return
    if call.query["version"] not in ("", "1"):
        raise HttpError(400, f"invalid version {call.query['version']}")
    options = asked.options(call, sent.authfile(call))
    fetched = sent.context(call)
    if fetched.is_dockerfile:
        options = options.replace(files=["Dockerfile"])
    elif not sent.is_there(fetched, options.files[0]):
        raise HttpError(500, f"Cannot locate specified Dockerfile: {options.files[0]}")
    _build(call, options, fetched, DockerLines(call.connection, quiet=call.query["q"]))


def libpod_build(call: Call) -> None:
    """Build an image, in Podman's words."""
    options = asked.libpod_options(call, sent.authfile(call))
    fetched = sent.context(call)
    if fetched.is_dockerfile:
        options = options.replace(files=[])
    for name in options.files:
        if not sent.is_there(fetched, name):
            raise HttpError(
                500, f"the specified Containerfile or Dockerfile does not exist, {name}: no such file or directory"
            )
    _build(call, options, fetched, Lines(call.connection, quiet=call.query["q"]))


def _build(call: Call, options: BuildOptions, fetched: Fetched, lines: Lines) -> None:
    """Build, and tell it line by line. What fails before the first line is raised: it gets a status."""
    end_with(call.connection.socket)
    try:
        built = Build(call.runtime, options, lines, fetched=fetched).run()
    except StepFailedError as error:
        lines.fail(lines.told(error), error.exit_code)
    except BuildFileError as error:
        if call.connection.is_begun:
            lines.fail(message_of(error))
        else:
            raise HttpError(400, f"dockerfile parse error on line {error.line}: {error.reason}") from None
    except PodpyError as error:
        if not call.connection.is_begun:
            raise
        lines.fail(message_of(error))
    else:
        lines.end(built)


def cancel(call: Call) -> Answer:
    """Say that a build is ended: it ends with its own client's connection, so none is left to end here."""
    if not call.query["id"]:
        raise HttpError(400, "build ID not provided")
    return Answer(body=b"")


def prune(call: Call) -> Answer:
    """Remove the images that are only steps of builds, and the directories of RUN --mount=type=cache."""
    if call.query["filters"] or call.query["keep-storage"]:
        raise HttpError(501, "filters and keep-storage aren't supported: the cache is removed as a whole")
    found = call.runtime.images.prune_build_cache()
    return Answer({"CachesDeleted": found.removed or None, "SpaceReclaimed": found.freed})
