"""`podpy manifest`: create, add, annotate, inspect, push, remove, rm, exists."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import EXIT_FAILURE, NoSuchImageError, NotSupportedError, PodpyError, UsageError
from podpy.image.lists import manifest_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.parse import Options
    from podpy.image.lists.manifest_list import Changes
    from podpy.libpod.runtime import Runtime

_ARTIFACT_OPTIONS = (
    "artifact_type", "artifact_config", "artifact_config_type", "artifact_layer_type", "artifact_subject",
    "artifact_exclude_titles",
)  # fmt: skip
_ENTRY_OPTIONS = ("arch", "features", "os", "os_features", "os_version", "variant")
_NO_SUCH_LIST = 1


def create(options: Options) -> int:
    """`podpy manifest create`: prints the list's id."""
    wanted = manifest_list.AddOptions(all=options.all, tls_verify=tls_verify(options))
    annotations = pairs(options.annotation)
    with open_runtime(options) as runtime:
        runtime.enter()
        print(
            manifest_list.create(
                runtime.store,
                runtime.paths,
                options.list,
                options.images,
                wanted,
                amend=options.amend,
                annotations=annotations,
            )
        )
    return 0


def add(options: Options) -> int:
    """`podpy manifest add`: prints the list's id."""
    changes = _changes(options)
    with open_runtime(options) as runtime:
        if options.artifact:
            runtime.enter()
            print(_add_files(runtime, options, changes))
            return 0
        _refuse_artifact_options(options)
        from podpy.cli.registry_options import access_fields

        access = {**access_fields(options), "tls_verify": tls_verify(options)}
        wanted = manifest_list.AddOptions(all=options.all, changes=changes, **access)
        runtime.enter()
        print(manifest_list.add(runtime.store, runtime.paths, options.list, options.images, wanted))
    return 0


def _add_files(runtime: Runtime, options: Options, changes: Changes) -> str:
    from podpy.image.lists.add_artifact import UNKNOWN_TYPE, ArtifactOptions, add_files

    wanted = ArtifactOptions(
        artifact_type=options.artifact_type if options.given("artifact_type") else UNKNOWN_TYPE,
        config_file=options.artifact_config,
        config_type=options.artifact_config_type,
        layer_type=options.artifact_layer_type,
        subject=options.artifact_subject,
        exclude_titles=options.artifact_exclude_titles,
    )
    return add_files(runtime.store, runtime.paths, options.list, options.images, wanted, changes)


def _refuse_artifact_options(options: Options) -> None:
    given = [f"--{name.replace('_', '-')}" for name in _ARTIFACT_OPTIONS if options.given(name)]
    if given:
        raise UsageError(f"{'/'.join(given)} {'requires' if len(given) == 1 else 'require'} --artifact")


def _changes(options: Options) -> Changes:
    return manifest_list.Changes(
        os=options.os,
        architecture=options.arch,
        variant=options.variant,
        os_version=options.os_version,
        os_features=options.os_features,
        features=options.features,
        annotations=pairs(options.annotation),
    )


def annotate(options: Options) -> int:
    """`podpy manifest annotate`: an entry, or with --index or --subject the list itself. Prints the list's id."""
    changes = _changes(options)
    whole = options.index or (options.subject and not options.entry)
    if whole and options.entry:
        raise UsageError(f'did not expect image or artifact name "{options.entry}" when modifying the entire index')
    if not whole and not options.entry:
        raise UsageError("expected an instance digest, image name, or artifact name")
    if options.subject and options.entry:
        raise UsageError("setting subject for a manifest list requires no instance digest")
    if whole and any(getattr(options, name) for name in _ENTRY_OPTIONS):
        raise UsageError("a platform is set on an entry: an instance digest is needed, and no --index")
    with open_runtime(options) as runtime:
        store, paths = runtime.store, runtime.paths
        runtime.enter()
        record = manifest_list.find_list(store, paths, options.list)
        if whole:
            print(manifest_list.annotate_index(store, paths, record, changes.annotations, subject=options.subject))
        else:
            digest = manifest_list.member(store, paths, record, options.entry)
            print(manifest_list.annotate(store, record, digest, changes))
    return 0


def inspect(options: Options) -> int:
    """`podpy manifest inspect`."""
    from podpy.go.json import indented
    from podpy.go.template.values import Struct
    from podpy.image.registry.remote import Access

    access = Access(authfile=options.authfile, tls_verify=tls_verify(options))
    with open_runtime(options) as runtime:
        runtime.enter()  # a compressed archive is staged
        found = manifest_list.inspect(runtime.store, runtime.paths, options.list, access)
    print(indented(_struct(found, Struct), "    "))
    return 0


def _struct(value: object, make: type[dict[str, object]], name: str = "") -> object:
    """Return nested dictionaries as structs (their order counts), except annotations, whose keys are sorted."""
    if isinstance(value, dict) and name != "annotations":
        return make({key: _struct(item, make, key) for key, item in value.items()})
    if isinstance(value, list):
        return [_struct(item, make) for item in value]
    return value


def push(options: Options) -> int:
    """`podpy manifest push`: prints nothing but its progress."""
    from podpy.cli.commands.images.push import push_options, write_digest
    from podpy.cli.show.image_progress import FailuresTold, make, tell_result
    from podpy.image.lists.push import ListPushOptions, push_list
    from podpy.image.outgoing.push import own_destination

    kinds = options.add_compression
    for kind in kinds:
        if kind not in ("gzip", "zstd"):
            raise NotSupportedError(f"--add-compression {kind} is not supported", hint="Use gzip or zstd")
    plain = push_options(options).replace(tls_verify=tls_verify(options))
    wanted = ListPushOptions(**plain.__dict__, images=options.all, add_compression=kinds)
    progress = make(quiet=options.quiet, style=options.progress)
    name = options.destination or options.list
    with FailuresTold(progress, name), open_runtime(options) as runtime:
        store, paths = runtime.store, runtime.paths
        record, found = manifest_list.find_named_list(store, paths, options.list)
        runtime.enter()
        destination = options.destination or own_destination(options.list, found)
        pushed = push_list(store, paths, record, destination, wanted, progress=progress)
        if options.digestfile:
            write_digest(options.digestfile, pushed.digest)
        if options.rm or options.purge:
            store.remove_image(record.id, force=True)
    tell_result(progress, "pushed", name=name, digest=pushed.digest)
    return 0


def remove(options: Options) -> int:
    """`podpy manifest remove`: prints the list's id."""
    with open_runtime(options) as runtime:
        record = manifest_list.find_list(runtime.store, runtime.paths, options.list)
        runtime.enter()
        print(manifest_list.remove(runtime.store, record, options.digest))
    return 0


def rm(options: Options) -> int:
    """`podpy manifest rm`: 0, 1 (a list doesn't exist), 125. Of a list with several names only the one given goes."""
    code = 0
    with open_runtime(options) as runtime:
        runtime.enter()
        for text in options.lists:
            try:
                record, name = manifest_list.find_named_list(runtime.store, runtime.paths, text)
                for line in runtime.store.remove_image(name if name in record.names else record.id):
                    print(line)
            except NoSuchImageError as error:
                if not options.ignore:
                    complain(error)
                    code = code or _NO_SUCH_LIST
            except PodpyError as error:
                complain(error)
                code = EXIT_FAILURE
    return code


def exists(options: Options) -> int:
    """`podpy manifest exists`: 0 or 1; 125 if the image is no list."""
    with open_runtime(options) as runtime:
        try:
            manifest_list.find_list(runtime.store, runtime.paths, options.list)
        except NoSuchImageError:
            return 1
    return 0


def pairs(texts: list[str]) -> dict[str, str]:
    """Return what `--annotation KEY=VALUE` options say. Raises UsageError."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f'expected --annotation "{text}" to be in key=value format')
        found[key] = value
    return found


def tls_verify(options: Options) -> bool | None:
    """Return what --tls-verify and --insecure (Docker's word) say. Raises UsageError if both are given."""
    if options.insecure and options.tls_verify is not None:
        raise UsageError("--insecure may not be used with --tls-verify")
    return False if options.insecure else options.tls_verify
