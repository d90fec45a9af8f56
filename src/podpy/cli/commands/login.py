"""`podpy login`, `podpy logout`."""

from __future__ import annotations

import os
import sys

from podpy.cli.engine import open_runtime
from podpy.errors import AuthenticationError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parse import Options
    from podpy.config.auth import AuthFiles, Credentials
    from podpy.libpod.runtime import Runtime

_NOT_LOGGED_IN = 125


def login(options: Options) -> int:
    """`podpy login`: asks for what isn't given, tries it at the registry, keeps it."""
    with open_runtime(options) as runtime:
        registry = options.registry or _default_registry(runtime)
        files = _files(runtime, options)
        known = files.find(registry) if not files.missing else None
        if options.get_login:
            if known is None:
                raise AuthenticationError(f"not logged into {registry}", hint=f"Run: podpy login {registry}")
            print(known.username)
            return 0
        credentials = _asked(options, known)
        _try(runtime, options, registry, credentials)
        files.store(registry, credentials)
    print("Login Succeeded!")
    return 0


def logout(options: Options) -> int:
    """`podpy logout`."""
    with open_runtime(options) as runtime:
        files = _files(runtime, options)
        if options.all:
            files.erase_all()
            print("Removed login credentials for all registries")
            return 0
        registry = options.registry or _default_registry(runtime)
        if not files.erase(registry):
            raise AuthenticationError(f"not logged into {registry}")
    print(f"Removed login credentials for {registry}")
    return 0


def _files(runtime: Runtime, options: Options) -> AuthFiles:
    from podpy.config.auth import AuthFiles

    files = AuthFiles(
        home=runtime.paths.home, run_directory=os.path.dirname(runtime.paths.runroot), authfile=options.authfile
    )
    files.missing = ""  # login makes it
    return files


def _default_registry(runtime: Runtime) -> str:
    from podpy.image.lookup import registries_of

    search = registries_of(runtime.paths).search
    if not search:
        raise UsageError("please provide a registry to log in to", hint="For example: podpy login docker.io")
    return search[0]


def _asked(options: Options, known: Credentials | None) -> Credentials:
    from podpy.config.auth import Credentials

    username = options.username
    if not username:
        shown = f" ({known.username})" if known is not None and known.username else ""
        sys.stderr.write(f"Username{shown}: ")
        sys.stderr.flush()
        username = sys.stdin.readline().strip() or (known.username if known is not None else "")
    if options.password_stdin:
        if not options.username:
            raise UsageError("--password-stdin needs --username")
        password = sys.stdin.read().rstrip("\r\n")
    elif options.password:
        password = options.password
    elif sys.stdin.isatty():
        from getpass import getpass

        password = getpass("Password: ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not username or not password:
        raise UsageError("a user's name and a password are needed")
    return Credentials(username, password)


def _try(runtime: Runtime, options: Options, registry: str, credentials: Credentials) -> None:
    from podpy.image.login import check_login

    check_login(runtime.paths, registry, credentials, tls_verify=options.tls_verify, cert_dir=options.cert_dir)
