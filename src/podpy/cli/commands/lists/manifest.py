"""`podpy manifest`: create, add, annotate, inspect, push, remove, rm, exists."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import EXIT_FAILURE, NoSuchImageError, PodpyError, UsageError
from podpy.libpod.images.lists import pairs
from podpy.libpod.images.options import EntryChanges, ListAddOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.images.options import ListArtifactOptions

_ARTIFACT_OPTIONS = (
    "artifact_type", "artifact_config", "artifact_config_type", "artifact_layer_type", "artifact_subject",
    "artifact_exclude_titles",
)  # fmt: skip
_ENTRY_OPTIONS = ("arch", "features", "os", "os_features", "os_version", "variant")
_NO_SUCH_LIST = 1


def create(options: Options) -> int:
    """`podpy manifest create`: prints the list's id."""
    wanted = ListAddOptions(all=options.all, tls_verify=tls_verify(options))
    annotations = pairs(options.annotation)
    with open_runtime(options) as runtime:
        lists = runtime.manifests
        print(lists.create(options.list, options.images, wanted, amend=options.amend, annotations=annotations))
    return 0


def add(options: Options) -> int:
    """`podpy manifest add`: prints the list's id."""
    changes = _changes(options)
    with open_runtime(options) as runtime:
        if options.artifact:
            wanted = _artifact_options(options)
            print(runtime.manifests.add_artifact(options.list, options.images, wanted, changes))
            return 0
        _refuse_artifact_options(options)
        from podpy.cli.registry_options import access_fields

        access = {**access_fields(options), "tls_verify": tls_verify(options)}
        how = ListAddOptions(all=options.all, changes=changes, **access)
        print(runtime.manifests.add(options.list, options.images, how))
    return 0


def _artifact_options(options: Options) -> ListArtifactOptions:
    from podpy.libpod.images.options import UNKNOWN_ARTIFACT, ListArtifactOptions

    return ListArtifactOptions(
        artifact_type=options.artifact_type if options.given("artifact_type") else UNKNOWN_ARTIFACT,
        config_file=options.artifact_config,
        config_type=options.artifact_config_type,
        layer_type=options.artifact_layer_type,
        subject=options.artifact_subject,
        exclude_titles=options.artifact_exclude_titles,
    )


def _refuse_artifact_options(options: Options) -> None:
    given = [f"--{name.replace('_', '-')}" for name in _ARTIFACT_OPTIONS if options.given(name)]
    if given:
        raise UsageError(f"{'/'.join(given)} {'requires' if len(given) == 1 else 'require'} --artifact")


def _changes(options: Options) -> EntryChanges:
    return EntryChanges(
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
        lists = runtime.manifests
        if whole:
            print(lists.annotate_index(options.list, changes.annotations, subject=options.subject))
        else:
            print(lists.annotate(options.list, options.entry, changes))
    return 0


def inspect(options: Options) -> int:
    """`podpy manifest inspect`."""
    from podpy.go.json import indented
    from podpy.go.template.values import Struct
    from podpy.libpod.images.options import Access

    access = Access(authfile=options.authfile, tls_verify=tls_verify(options))
    with open_runtime(options) as runtime:
        found = runtime.manifests.inspect(options.list, access)
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
    from podpy.libpod.images.options import ListPushOptions

    plain = push_options(options).replace(tls_verify=tls_verify(options))
    wanted = ListPushOptions(**plain.__dict__, images=options.all, add_compression=options.add_compression)
    progress = make(quiet=options.quiet, style=options.progress)
    name = options.destination or options.list
    with FailuresTold(progress, name), open_runtime(options) as runtime:
        digest = runtime.manifests.push(
            options.list, options.destination or "", wanted, remove=options.rm or options.purge, progress=progress
        )
    if options.digestfile:
        write_digest(options.digestfile, digest)
    tell_result(progress, "pushed", name=name, digest=digest)
    return 0


def remove(options: Options) -> int:
    """`podpy manifest remove`: prints the list's id."""
    with open_runtime(options) as runtime:
        print(runtime.manifests.remove_entry(options.list, options.digest))
    return 0


def rm(options: Options) -> int:
    """`podpy manifest rm`: 0, 1 (a list doesn't exist), 125. Of a list's names, only the one given is removed."""
    code = 0
    with open_runtime(options) as runtime:
        for text in options.lists:
            try:
                for line in runtime.manifests.remove(text):
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
    """`podpy manifest exists`: 0 or 1; 125 if the image isn't a manifest list."""
    with open_runtime(options) as runtime:
        return 0 if runtime.manifests.exists(options.list) else 1


def tls_verify(options: Options) -> bool | None:
    """Return the value of --tls-verify or --insecure (Docker's opposite of it). Raises UsageError if both are given."""
    if options.insecure and options.tls_verify is not None:
        raise UsageError("--insecure may not be used with --tls-verify")
    return False if options.insecure else options.tls_verify
