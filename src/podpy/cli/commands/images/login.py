"""`podpy login`, `podpy logout`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import AuthenticationError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.config.auth import Credentials
    from podpy.libpod.images.registries import Logins
    from podpy.libpod.runtime import Runtime


def login(options: Options) -> int:
    """`podpy login`: asks for a missing name or password, tries both at the registry, and stores them."""
    _check(options)
    with open_runtime(options) as runtime:
        logins = runtime.registries.logins(authfile=options.authfile, compat_authfile=options.compat_auth_file)
        key = logins.key(options.registry)
        known = logins.find(key)
        if options.get_login:
            if known is None or not known.username:
                raise AuthenticationError(f"not logged into {key}", hint=f"Run: podpy login {key}")
            print(known.username)
            return 0
        asked = options.username or options.password or options.secret
        if not asked and known is not None and known.password and _is_still_valid(logins, options, key, known):
            return 0
        if options.secret:
            username, password = options.username or options.secret, _password_of(runtime, options.secret)
        else:
            username, password = _asked(options, known)
        logins.check(key, username, password, tls_verify=options.tls_verify, cert_dir=options.cert_dir)
        logins.keep(key, username, password)
    print("Login Succeeded!")
    if options.verbose:
        print(f"Used: {logins.path}")
    return 0


def logout(options: Options) -> int:
    """`podpy logout`."""
    _check_files(options)
    with open_runtime(options) as runtime:
        logins = runtime.registries.logins(authfile=options.authfile, compat_authfile=options.compat_auth_file)
        if options.all:
            if options.registry:
                raise UsageError("--all takes no arguments")
            logins.forget_all()
            print("Removed login credentials for all registries")
            return 0
        key = logins.key(options.registry)
        if logins.forget(key):
            print(f"Removed login credentials for {key}")
        else:
            print(
                f"Not logged into {key} with current tool. Existing credentials were established via docker login. "
                "Please use docker logout instead."
            )
    return 0


def _check(options: Options) -> None:
    _check_files(options)
    if options.password_stdin and options.password:
        raise UsageError("--password-stdin and --password exclude each other")
    if options.secret and (options.password or options.password_stdin):
        raise UsageError("--secret can not be used with --password options")
    if options.password_stdin and not options.username:
        raise UsageError("--password-stdin needs --username")


def _password_of(runtime: Runtime, secret: str) -> str:
    from podpy.libpod.secrets import keep_memory_private

    keep_memory_private()
    return runtime.secrets.data(secret).decode("utf-8", "surrogateescape").rstrip("\r\n")


def _check_files(options: Options) -> None:
    if options.compat_auth_file and options.given("authfile"):
        raise UsageError("--authfile and --compat-auth-file exclude each other")


def _is_still_valid(logins: Logins, options: Options, key: str, known: Credentials) -> bool:
    """Try the stored credentials, as Podman does before it asks for new ones."""
    print(f"Authenticating with existing credentials for {key}")
    try:
        logins.check(key, known.username, known.password, tls_verify=options.tls_verify, cert_dir=options.cert_dir)
    except AuthenticationError:
        print("Existing credentials are invalid, please enter valid username and password")
        return False
    print(f"Existing credentials are valid. Already logged in to {key.partition('/')[0]}")
    return True


def _asked(options: Options, known: Credentials | None) -> tuple[str, str]:
    """Return the user's name and the password, asked for if the options lack them. Raises UsageError."""
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
    return username, password
