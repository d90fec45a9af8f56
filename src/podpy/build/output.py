"""`--output`: what was built goes elsewhere, as files or as an archive, and not into the store's names."""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.libpod.engine import Engine

KINDS = ("local", "tar", "oci", "docker")
STDOUT = "-"


class Output(Record):
    """Where a build's result goes. `kind`: local (a directory), tar, oci, docker. `path`: absolute, or "-"."""

    kind: str
    path: str


def parse(text: str, directory: str) -> Output:
    """Return what `type=tar,dest=x.tar`, a directory's name, or `-` says, from `directory`. Raises UsageError."""
    if "=" not in text:
        return (
            Output(kind="tar", path=STDOUT) if text == STDOUT else Output(kind="local", path=_absolute(text, directory))
        )
    fields = dict(word.partition("=")[::2] for word in text.split(","))
    kind, path = fields.get("type", ""), fields.get("dest", "")
    if not {*fields} <= {"type", "dest"}:
        raise UsageError(f'invalid build output option: "{text}"', hint="It is type=TYPE,dest=PATH")
    if kind not in KINDS:
        raise UsageError(f'invalid type "{kind}" selected for build output options "{text}"', hint=", ".join(KINDS))
    if not path:
        raise UsageError(f'missing required key "dest" in build output option: "{text}"')
    if kind == "local" and path == STDOUT:
        raise UsageError(f'"{text}": only archives can go to standard output', hint="type=tar,dest=-")
    return Output(kind=kind, path=path if path == STDOUT else _absolute(path, directory))


def _absolute(path: str, directory: str) -> str:
    return os.path.join(directory, path)


def write(engine: Engine, output: Output, image_id: str, names: Sequence[str]) -> None:
    """Write an image's files, or the image under `names`. This process must be in the user's namespaces.

    A file appears when it is complete. What is in a directory stays, and is replaced where the image has the same path.
    Raises StorageError, ImageError, BrokenPipeError.
    """
    if output.kind == "oci":
        from podpy.image.archive.write import Outgoing
        from podpy.image.archive.write import write as write_archive
        from podpy.image.names.transports import OCI_ARCHIVE, TransportReference
        from podpy.image.outgoing.export import Compression
        from podpy.libpod.images.options import STDOUT as TO_STDOUT

        path = TO_STDOUT if output.path == STDOUT else output.path
        image = Outgoing(record=engine.store.find_image(image_id), names=[*names])
        place = TransportReference(kind=OCI_ARCHIVE, path=path)
        write_archive(engine.store, [image], place, compression=Compression(kind="gzip"))
        return
    if output.kind == "docker":
        from podpy.libpod.images.manager import Images
        from podpy.libpod.images.options import STDOUT as TO_STDOUT
        from podpy.libpod.images.options import SaveOptions

        named = SaveOptions(format="docker-archive", multiple=False)
        saved = [image_id, *names]
        if output.path == STDOUT:
            Images(engine).save(saved, TO_STDOUT, named)
        elif os.path.isfile(output.path):
            _replace(output.path, lambda aside: Images(engine).save(saved, aside, named))
        else:
            Images(engine).save(saved, output.path, named)
        return
    from podpy.libpod.images.making import ImageView

    record = engine.store.find_image(image_id)
    with ImageView(engine.store, record) as view:
        if output.kind == "local":
            _write_directory(view.root, output.path)
        elif output.path == STDOUT:
            _write_tar(view.root, engine.caller.streams.stdout)
        else:
            from podpy.image.archive.outfile import NewFile

            with NewFile(output.path, synced=False) as file:
                _write_tar(view.root, file.descriptor)


def _replace(path: str, write_to: Callable[[str], object]) -> None:
    """Write a file that is there anew, aside: `podpy save` refuses that of a docker archive, as Podman; Docker doesn't.

    Through links: the file that they lead to is replaced.
    """
    real = os.path.realpath(path)
    aside = f"{real}.{os.urandom(8).hex()}"
    try:
        write_to(aside)
        os.replace(aside, real)
    except BaseException:
        if os.path.lexists(aside):
            os.unlink(aside)
        raise


def _write_tar(root: int, descriptor: int) -> None:
    from podpy.storage.layers.pack import PackOptions, write_tar

    write_tar(root, descriptor, PackOptions())


def _write_directory(root: int, path: str) -> None:
    from podpy.storage.layers.pack import PackOptions, pack_into
    from podpy.storage.layers.unpack import Plain, Unpacker

    os.makedirs(path, exist_ok=True)
    unpacker = Unpacker(path, plain=Plain(owner=(0, 0)))  # the caller's
    try:
        pack_into(unpacker, root, PackOptions())
        unpacker.finish()
    except BaseException:
        unpacker.abort()
        raise
