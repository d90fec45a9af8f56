"""`podpy rmi`, `tag`, `untag`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import (
    EXIT_FAILURE,
    ImageError,
    InUseError,
    NoSuchImageError,
    NotANameError,
    PodpyError,
    SeveralNamesError,
)
from podpy.image.names.lookup import find_named
from podpy.image.names.reference import for_new_image
from podpy.storage.mounts import image_mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.parse import Options
    from podpy.libpod.runtime import Runtime
    from podpy.storage.images import ImageRecord

# podman-rmi(1), EXIT STATUS
_NO_SUCH_IMAGE = 1
_IN_USE = 2


def rmi(options: Options) -> int:
    """`podpy rmi`: 0, 1 (an image doesn't exist), 2 (a container uses it), 125."""
    code = 0
    with open_runtime(options) as runtime:
        runtime.enter()
        everything = [record.id for record in runtime.store.image_summaries()] if options.all else options.images
        names = dict.fromkeys(everything)  # a name that is there twice, as in a list of ids, is removed once
        for name in names:
            try:
                _remove(runtime, name, force=options.force or options.all, containers=options.force)
            except (NotANameError, SeveralNamesError) as error:
                complain(error)
                code = code or EXIT_FAILURE
            except NoSuchImageError as error:
                if not options.ignore and not options.force and not options.all:
                    complain(error)
                    code = code or _NO_SUCH_IMAGE
            except InUseError as error:
                complain(error)
                code = _IN_USE
            except PodpyError as error:
                complain(error)
                code = code or EXIT_FAILURE
    return code


def _remove(runtime: Runtime, text: str, *, force: bool, containers: bool) -> None:
    record, name = find_named(runtime.store, runtime.paths, text)
    if name and name not in record.names:
        _refuse_digest(record, text)
        name = record.names[0]
    if containers and not (name and len(record.names) > 1):
        for container_id in runtime.store.image_users(record.id):
            runtime.container(container_id).remove(force=True)
        if record.id in image_mounts.mounted(runtime.store):
            image_mounts.unmount(runtime.store, record.id, force=True)
    for line in runtime.store.remove_image(name or record.id, force=force):
        print(line)
    sys.stdout.flush()


def _refuse_digest(record: ImageRecord, text: str) -> None:
    # As Podman: the digests that an image has besides its names can't be taken from it. Its only name goes with it.
    if len(record.names) > 1:
        names = ", ".join(record.names)
        raise ImageError(f"{text}: tag not known", hint=f"The image has that digest; its names are {names}")


def tag(options: Options) -> int:
    """`podpy tag`."""
    with open_runtime(options) as runtime:
        record, _ = find_named(runtime.store, runtime.paths, options.image)
        names = [for_new_image(text) for text in options.names]
        runtime.enter()
        for name in names:
            runtime.store.tag(record.id, name)
    return 0


def untag(options: Options) -> int:
    """`podpy untag`: the names that are given, or all that the image has."""
    with open_runtime(options) as runtime:
        record, _ = find_named(runtime.store, runtime.paths, options.image)
        names = [_own_name(record, text) for text in options.names] or record.names
        runtime.enter()
        for name in names:
            runtime.store.untag(name)
    return 0


def _own_name(record: ImageRecord, text: str) -> str:
    from podpy.image.names.reference import parse

    wanted = parse(text).with_default_tag()
    for name in record.names:
        if name == str(wanted) or (wanted.is_short and name.endswith(f"/{wanted}")):
            return name
    raise NoSuchImageError(f"{text}: tag not known")
