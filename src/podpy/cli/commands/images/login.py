"""`podpy login`, `podpy logout`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import AuthenticationError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.parse import Options
    from podpy.config.auth import AuthFiles, Credentials
    from podpy.libpod.runtime import Runtime


def login(options: Options) -> int:
    """`podpy login`: asks for what isn't given, tries it at the registry, keeps it."""
    _check(options)
    with open_runtime(options) as runtime:
        key = _key(runtime, options)
        files = _files(runtime, options)
        known = files.find(key)
        if options.get_login:
            if known is None or not known.username:
                raise AuthenticationError(f"not logged into {key}", hint=f"Run: podpy login {key}")
            print(known.username)
            return 0
        asked = options.username or options.password
        if not asked and known is not None and known.password and _is_still_valid(runtime, options, key, known):
            return 0
        credentials = _asked(options, known)
        _try(runtime, options, key, credentials)
        files.store(key, credentials)
    print("Login Succeeded!")
    if options.verbose:
        print(f"Used: {files.write_path}")
    return 0


def logout(options: Options) -> int:
    """`podpy logout`."""
    _check_files(options)
    with open_runtime(options) as runtime:
        files = _files(runtime, options)
        if options.all:
            if options.registry:
                raise UsageError("--all takes no arguments")
            files.erase_all()
            print("Removed login credentials for all registries")
            return 0
        key = _key(runtime, options)
        if not files.erase(key):
            # Podman's words for what Docker's file, or another one, says.
            if files.find(key) is None:
                raise AuthenticationError(f"not logged into {key}")
            print(
                f"Not logged into {key} with current tool. Existing credentials were established via docker login. "
                "Please use docker logout instead."
            )
            return 0
    print(f"Removed login credentials for {key}")
    return 0


def _check(options: Options) -> None:
    _check_files(options)
    if options.password_stdin and options.password:
        raise UsageError("--password-stdin and --password exclude each other")
    if options.password_stdin and not options.username:
        raise UsageError("--password-stdin needs --username")


def _check_files(options: Options) -> None:
    if options.compat_auth_file and options.given("authfile"):
        raise UsageError("--authfile and --compat-auth-file exclude each other")


def _key(runtime: Runtime, options: Options) -> str:
    """Return the key in auth.json: a registry, or a namespace or repository of one. Raises UsageError, ImageError."""
    from podpy.image.names.reference import parse

    text: str = options.registry or _default_registry(runtime)
    for scheme in ("https://", "http://"):
        if text.startswith(scheme):
            # An address, as Docker takes it, means its host; what is spoken there is said by --tls-verify alone.
            text = text.removeprefix(scheme).partition("/")[0]
    host, slash, _ = text.partition("/")
    reference = parse(text if slash else f"{host}/x")
    if slash and (reference.tag or reference.digest or reference.domain != host):
        raise UsageError(f"{text}: not a registry, nor a namespace or repository of one", hint="Give HOST or HOST/NAME")
    return text


def _files(runtime: Runtime, options: Options) -> AuthFiles:
    from podpy.config.auth import AuthFiles
    from podpy.image.names.lookup import registries_of

    files = AuthFiles(
        home=runtime.paths.home,
        run_file=runtime.paths.auth_file,
        authfile="" if options.compat_auth_file else options.authfile,
        compat_authfile=options.compat_auth_file,
        helpers=registries_of(runtime.paths).credential_helpers,
    )
    files.missing = ""  # login makes it
    return files


def _default_registry(runtime: Runtime) -> str:
    from podpy.image.names.lookup import registries_of

    search = registries_of(runtime.paths).search
    if not search:
        raise UsageError("please provide a registry", hint="For example docker.io (registries.conf has none)")
    return search[0]


def _is_still_valid(runtime: Runtime, options: Options, key: str, known: Credentials) -> bool:
    """Try what is known already, as Podman does before it asks."""
    print(f"Authenticating with existing credentials for {key}")
    try:
        _try(runtime, options, key, known)
    except AuthenticationError:
        print("Existing credentials are invalid, please enter valid username and password")
        return False
    print(f"Existing credentials are valid. Already logged in to {key.partition('/')[0]}")
    return True


def _asked(options: Options, known: Credentials | None) -> Credentials:
    from podpy.config.auth import Credentials

    username = options.username
    if not username:
        shown = f" ({known.username})" if known is not None and known.username else ""
        sys.stderr.write(f"Username{shown}: ")
        sys.stderr.flush()
        username = sys.stdin.readline().strip() or (known.username if known is not None else "")
    if options.password_stdin:
        password = sys.stdin.read().rstrip("\r\n")
    elif options.password:
        password = options.password
    elif sys.stdin.isatty():
        from podpy.cli.registry_options import typed_password

        password = typed_password()
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not username or not password:
        raise UsageError("a user's name and a password are needed")
    return Credentials(username, password)


def _try(runtime: Runtime, options: Options, registry: str, credentials: Credentials) -> None:
    from podpy.image.registry.login import check_login

    check_login(runtime.paths, registry, credentials, tls_verify=options.tls_verify, cert_dir=options.cert_dir)
