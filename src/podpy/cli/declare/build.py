"""`build`: a Dockerfile becomes an image."""

from __future__ import annotations

from podpy.cli.declare.common import AUTHFILE, dry_run
from podpy.cli.declare.create.options import of_run
from podpy.cli.declare.model import (
    DIRECTORIES,
    FILES,
    IMAGES,
    Argument,
    Command,
    Option,
    flag,
    listed,
    many,
    number,
    text,
    under,
)

GROUPS = {"builder": "The cache of builds", "buildx": "Builds, by Docker's names"}

_PANEL = "Images"
_YET = "not supported yet"
_NO_SBOM = "podpy runs no scanners: run one on what podpy save writes"
_OUT = "podpy doesn't do this"

_WHAT: tuple[Option, ...] = (
    many("--file -f", "FILE", "Dockerfile (repeatable: read one after the other); -: standard input", complete=FILES),
    many("--tag -t", "NAME", "Name of the image (repeatable)"),
    text("--target", "STAGE", "Build this stage and what it needs", default=""),
    many("--build-arg", "NAME[=VALUE]", "Value for an ARG (repeatable); without a value: the caller's variable"),
    many("--build-arg-file", "FILE", "Values for ARGs, one a line (repeatable)", complete=FILES),
    many("--build-context", "NAME=WHERE", "Another context for COPY --from: a directory, docker-image://NAME"),
    many("--cpp-flag", "FLAG", "For cpp, which reads files that end with .in (repeatable)"),
    text("--ignorefile", "FILE", "Use this file in place of the context's ignore file", complete=FILES),
    text("--from", "IMAGE", "Begin with this image in place of the first FROM's", complete=IMAGES),
    flag("--skip-unused-stages", "Don't build stages that the last one doesn't need", default=True),
)

_IMAGE: tuple[Option, ...] = (
    text("--format", "FORMAT", "Format of the manifest: oci, docker", default="oci", env="BUILDAH_FORMAT"),
    many("--label", "KEY=VALUE", "Label of the image (repeatable)"),
    many("--annotation", "KEY=VALUE", "Annotation of the manifest (repeatable)"),
    many("--env", "KEY[=VALUE]", "Environment variable of the image (repeatable)"),
    many("--unsetenv", "KEY", "Leave out one of the image's environment variables (repeatable)"),
    flag("--squash", "One layer for all steps of the build"),
    flag("--squash-all", "One layer for everything, the base included"),
    text("--timestamp", "SECONDS", "Time of the image and of all files in its new layers, seconds since 1970"),
    text(
        "--source-date-epoch",
        "SECONDS",
        "Time of the image, and SOURCE_DATE_EPOCH of its commands, seconds since 1970",
        env="SOURCE_DATE_EPOCH",
    ),
    flag("--rewrite-timestamp", "Files in new layers are no later than --source-date-epoch"),
    flag("--omit-history", "Tell no steps in the image's history", refuse=_YET),
    flag("--identity-label", "Accepted for Podman's scripts: podpy adds no label of its own", default=False),
)

_CACHE: tuple[Option, ...] = (
    flag("--no-cache", "Do every step again"),
    flag("--layers", "Keep each step's layer, and use those that are kept", default=True, env="BUILDAH_LAYERS"),
    flag("--explain", "Say of each step whether it was cached, and what has changed"),
    many("--cache-from", "REPOSITORY", "Look for steps' images in a registry, too (repeatable)"),
    many("--cache-to", "REPOSITORY", "Write steps' images to a registry (repeatable)"),
    text("--cache-ttl", "DURATION", "Use no steps that were done longer ago: 30m, 24h; 0: none at all"),
)

_OUTPUT: tuple[Option, ...] = (
    flag("--quiet -q", "Print only the image's id, and what commands write on standard error"),
    text("--iidfile", "FILE", "Write the image's id to this file", complete=FILES),
    text("--logfile", "FILE", "Write what would be printed to this file", complete=FILES),
    many(
        "--output -o",
        "type=TYPE,dest=PATH",
        "Write the result elsewhere: local (a directory), tar, oci, docker; or DIR, or - for a tar",
    ),
    text("--metadata-file", "FILE", "Write the image's id, digest and names as JSON", complete=FILES),
    text("--manifest", "NAME", "Add the image to this list, which is made if it isn't there"),
    text(
        "--progress",
        "STYLE",
        "auto, plain (Podman's lines), tty (a live view), rawjson (BuildKit's events, on standard error), quiet",
        default="auto",
        env="BUILDKIT_PROGRESS",
    ),
    flag("--check", "Only print warnings about the Dockerfile"),
    text("--iidfile-raw", "FILE", "Write the image's id without sha256: to this file", complete=FILES),
)

_RUNS: tuple[Option, ...] = (
    many("--secret", "id=ID,src=FILE", "What RUN --mount=type=secret gives: a file, or env=NAME"),
    many("--ssh", "ID[=SOCKET]", "The agent for RUN --mount=type=ssh; without a socket: SSH_AUTH_SOCK's"),
    number("--jobs", "N", "How many stages are built at a time; 0: as many as there are", default=1),
    text("--isolation", "KIND", "How commands are kept apart: oci, rootless", env="BUILDAH_ISOLATION", default=""),
    *of_run(
        {
            "--add-host", "--cap-add", "--cap-drop", "--cgroup-parent", "--cgroupns", "--cpu-period", "--cpu-quota",
            "--cpu-shares", "--cpuset-cpus", "--cpuset-mems", "--device", "--dns", "--dns-option", "--dns-search",
            "--group-add", "--http-proxy", "--ipc", "--memory", "--memory-swap", "--network", "--no-hostname",
            "--no-hosts", "--pid", "--security-opt", "--shm-size", "--ulimit", "--uts", "--volume",
        }
    ),
)  # fmt: skip

_PULLS: tuple[Option, ...] = (
    text("--pull", "POLICY", "When to pull: always, missing, newer, never", default="missing", bare="always"),
    flag("--pull-always", "As --pull=always", hidden=True),
    flag("--pull-never", "As --pull=never", hidden=True),
    listed("--platform", "OS/ARCH", "Platform of the image (several: one image each, in a list)"),
    flag("--all-platforms", "An image for each platform that all images of FROM have"),
    text("--arch", "ARCH", "Architecture of the image"),
    text("--os", "OS", "Operating system of the image"),
    text("--variant", "VARIANT", "Variant of the architecture"),
    AUTHFILE,
    *of_run({"--creds", "--cert-dir", "--tls-verify", "--retry", "--retry-delay"}),
    text("--signature-policy", "FILE", "policy.json to use", hidden=True),
)

_ACCEPTED: tuple[Option, ...] = (
    flag("--rm", "Accepted for old scripts: steps' containers are always removed", default=True),
    flag("--force-rm", "Accepted for old scripts: steps' containers are always removed", default=True),
    flag("--compress", "Accepted for old scripts; does nothing", hidden=True),
    flag(
        "--disable-compression -D", "Accepted for old scripts: layers are compressed when they are pushed", hidden=True
    ),
    flag("--disable-content-trust", "Accepted for Docker's scripts; does nothing", hidden=True),
    flag("--load", "Accepted for Docker's scripts: the image is always in the store", hidden=True),
    text("--builder", "NAME", "Accepted for Docker's scripts; does nothing", hidden=True),
)

_REFUSED: tuple[Option, ...] = (
    *(
        flag(name, "Podman's", hidden=True, refuse=_YET)
        for name in (
            "--compat-volumes", "--created-annotation", "--inherit-annotations",
            "--inherit-labels", "--logsplit", "--push", "--save-stages", "--stdin",
        )
    ),
    *(
        many(name, "VALUE", "Podman's", hidden=True, refuse=_YET)
        for name in (
            "--layer-label", "--mount", "--os-feature", "--os-version", "--source-policy-file",
            "--stage-labels", "--unsetannotation", "--unsetlabel", "--userns", "--userns-gid-map",
            "--userns-gid-map-group", "--userns-gid-map-user", "--userns-uid-map", "--userns-uid-map-group",
            "--userns-uid-map-user",
        )
    ),
    *(
        many(name, "VALUE", "Podman's", hidden=True, refuse=_NO_SBOM)
        for name in (
            "--sbom", "--sbom-image-output", "--sbom-image-purl-output", "--sbom-merge-strategy", "--sbom-output",
            "--sbom-purl-output", "--sbom-scanner-command", "--sbom-scanner-image",
        )
    ),
    text("--cw", "OPTIONS", "Podman's", hidden=True, refuse=_OUT),
    text("--sign-by", "KEY", "Podman's", hidden=True, refuse="podpy makes no signatures, it only verifies them"),
    many("--decryption-key", "KEY", "Podman's", hidden=True, refuse="podpy can't decrypt images"),
)  # fmt: skip

COMMANDS: tuple[Command, ...] = (
    Command(
        path="build",
        aliases=("image build", "buildx build", "builder build"),
        handler="podpy.cli.commands.images.build:build",
        panel=_PANEL,
        help="Build an image from a Dockerfile",
        description="CONTEXT is the directory that COPY and ADD take files from.",
        examples=(
            "podpy build -t localhost/web .",
            "podpy build -f Containerfile.dev --build-arg VERSION=2 -t localhost/web:2 .",
            "podpy build --target test .",
            "podpy build --explain .  # why was a step done again?",
        ),
        arguments=(Argument(name="context", metavar="CONTEXT", required=False, many=True, complete=DIRECTORIES),),
        options=(
            *under("What is built", _WHAT),
            *under("The image", _IMAGE),
            *under("Cache", _CACHE),
            *under("Output", _OUTPUT),
            *under("Commands", _RUNS),
            *under("Pulls", _PULLS),
            *_ACCEPTED,
            *_REFUSED,
        ),
    ),
    Command(
        path="buildx ls",
        handler="podpy.cli.commands.images.buildx:ls",
        help="List the builders: there is one, podpy itself",
        examples=("podpy buildx ls",),
        rule="none",
    ),
    Command(
        path="buildx inspect",
        handler="podpy.cli.commands.images.buildx:inspect",
        help="Show the builder and the platforms whose commands run here",
        examples=("podpy buildx inspect",),
        arguments=(Argument(name="name", metavar="NAME", required=False),),
        options=(flag("--bootstrap", "Accepted for Docker's scripts: there is nothing to start"),),
    ),
    Command(
        path="builder prune",
        aliases=("buildx prune",),
        handler="podpy.cli.commands.system.prune:build_cache",
        help="Remove the cache of builds",
        examples=(
            "podpy builder prune",
            "podpy builder prune --force",
        ),
        rule="none",
        options=(
            flag("--all -a", "Accepted for Docker's scripts: the whole cache always goes"),
            flag("--force -f", "Don't ask"),
            dry_run(),
        ),
    ),
)
