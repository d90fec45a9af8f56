"""`podpy login`, `logout` and where credentials are kept: auth.json, Docker's config.json, credential helpers."""

from __future__ import annotations

import base64
import json
import os
import pty
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from podpy.config.auth import AuthFiles, Credentials
from tests.image.odd_registry import OddRegistry
from tests.image.test_pull import configure, insecure
from tests.support import wait
from tests.support.engine import Podpy
from tests.support.images import Image
from tests.support.registry import Registry

HELPER = """#!/bin/sh
# A credential helper that keeps one file a server.
dir=$HOME/kept
mkdir -p "$dir"
input=$(cat)
name=$(printf %s "$input" | tr / _)
case $1 in
    get) [ -e "$dir/$name" ] || { echo credentials not found in native keychain; exit 1; }; cat "$dir/$name" ;;
    store)
        server=$(printf %s "$input" | sed 's/.*"ServerURL": *"\\([^"]*\\)".*/\\1/' | tr / _)
        printf %s "$input" > "$dir/$server" ;;
    erase) rm -f "$dir/$name" ;;
    list) ls "$dir" | sed 's/.*/"&": "u"/' | paste -s -d, | sed 's/.*/{&}/' ;;
esac
"""


@pytest.fixture
def host(podpy: Podpy, secure_registry: Registry) -> str:
    configure(podpy, insecure(secure_registry.address))
    return secure_registry.address


@pytest.fixture
def helper(podpy: Podpy) -> dict[str, str]:
    """The environment in which `docker-credential-ours` is found."""
    tools = podpy.home / "bin"
    tools.mkdir()
    program = tools / "docker-credential-ours"
    program.write_text(HELPER)
    program.chmod(0o755)
    return {"PATH": f"{tools}:/usr/bin:/bin:/usr/sbin:/sbin"}


def pair(user: str = "alice", password: str = "wonderland") -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write_json(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    path.chmod(0o666)
    path.parent.chmod(0o777)
    return path


def log_in(podpy: Podpy, *args: str, **options: object) -> str:
    return podpy.ok("login", "-u", "alice", "--password-stdin", *args, input="wonderland\n", **options)  # type: ignore[arg-type]


def test_a_helper_keeps_the_password(
    podpy: Podpy, host: str, helper: dict[str, str], secure_registry: Registry, small: Image
) -> None:
    secure_registry.push("small", "latest", small)
    auth = write_json(podpy.home / "auth/auth.json", {"credHelpers": {host: "ours"}})
    env = {**helper, "REGISTRY_AUTH_FILE": str(auth)}
    assert log_in(podpy, host, env=env) == "Login Succeeded!"
    assert "wonderland" not in auth.read_text()
    assert podpy.ok("login", "--get-login", host, env=env) == "alice"
    podpy.ok("pull", f"{host}/small", env=env)
    podpy.ok("push", f"{host}/small", f"{host}/other", env=env)
    assert podpy.ok("logout", host, env=env) == f"Removed login credentials for {host}"
    podpy("logout", host, env=env).fails(125, f"not logged into {host}")
    podpy("pull", f"{host}/small", env=env).fails(125, "wants credentials")
    podpy("login", "-u", "a", "-p", "b", f"{host}/part", env=env).fails(125)


def test_dockers_credentials_store_and_registries_conf_name_helpers_too(
    podpy: Podpy, host: str, helper: dict[str, str], secure_registry: Registry, small: Image
) -> None:
    secure_registry.push("small", "latest", small)
    kept = podpy.home / "kept"
    write_json(kept / host, {"ServerURL": host, "Username": "alice", "Secret": "wonderland"})
    docker = write_json(podpy.home / ".docker/config.json", {"credsStore": "ours"})
    podpy.ok("pull", f"{host}/small", env=helper)
    docker.unlink()
    podpy("pull", f"{host}/small", env=helper).fails(125, "wants credentials")
    configure(podpy, 'credential-helpers = ["containers-auth.json", "ours"]\n' + insecure(host))
    podpy.ok("pull", f"{host}/small", env=helper)
    assert podpy.ok("logout", "--all", env=helper) == "Removed login credentials for all registries"
    assert [*kept.iterdir()] == []


def test_a_helper_that_isnt_there_is_one_warning_where_no_password_is_wanted(
    podpy: Podpy, registry: Registry, small: Image
) -> None:
    """Docker Desktop leaves `credsStore` behind where it was uninstalled."""
    for name in ("small", "second"):
        registry.push(name, "latest", small)
    configure(podpy, insecure(registry.address))
    write_json(podpy.home / ".docker/config.json", {"credsStore": "desktop"})
    done = podpy("pull", "-q", f"{registry.address}/small", f"{registry.address}/second")
    done.ok()
    (warning,) = done.warnings
    assert "docker-credential-desktop is not installed" in warning
    done = podpy("push", "-q", f"{registry.address}/small", f"{registry.address}/other")
    done.ok()
    assert len(done.warnings) == 1


def test_a_helper_that_isnt_there_leaves_login_and_logout_to_the_file(
    podpy: Podpy, host: str, secure_registry: Registry, small: Image
) -> None:
    secure_registry.push("small", "latest", small)
    write_json(podpy.home / ".docker/config.json", {"credsStore": "desktop"})
    done = podpy("pull", "-q", f"{host}/small").fails(125, "wants credentials")
    assert "docker-credential-desktop is not installed" in done.stderr
    assert "Login Succeeded!" in log_in(podpy, host)
    podpy.ok("pull", "-q", f"{host}/small")
    assert podpy.ok("logout", host) == f"Removed login credentials for {host}"


def test_the_base64_of_a_password_may_have_line_breaks(
    podpy: Podpy, host: str, secure_registry: Registry, small: Image
) -> None:
    secure_registry.push("small", "latest", small)
    packed = pair()["auth"]
    auth = write_json(podpy.home / "broken/auth.json", {"auths": {host: {"auth": f"{packed[:7]}\r\n {packed[7:]}\n"}}})
    podpy.ok("pull", "-q", "--authfile", str(auth), f"{host}/small")


def test_config_names_the_directory_where_logins_are_kept(
    podpy: Podpy, host: str, secure_registry: Registry, small: Image
) -> None:
    secure_registry.push("small", "latest", small)
    directory = write_json(podpy.home / "docker/config.json", {}).parent
    said = podpy.ok("--config", str(directory), "login", "-u", "alice", "-p", "wonderland", "-v", host)
    assert said.splitlines()[-1] == f"Used: {directory}/config.json"
    assert host in json.loads((directory / "config.json").read_text())["auths"]
    podpy("search", f"{host}/small").fails(125, "credentials")  # nothing is kept where no --config says
    assert f"{host}/small" in podpy.ok("--config", str(directory), "search", f"{host}/small")
    podpy.ok("--config", str(directory), "pull", "-q", f"{host}/small")
    podpy("logout", host).fails(125, f"not logged into {host}")
    assert podpy.ok("--config", str(directory), "logout", host) == f"Removed login credentials for {host}"
    assert json.loads((directory / "config.json").read_text())["auths"] == {}


def test_a_helper_that_fails_is_one_line_without_the_secret(podpy: Podpy, host: str, helper: dict[str, str]) -> None:
    write_json(
        podpy.home / ".docker/config.json", {"credHelpers": {host: "bad", "x.example": "gone", "y.example": "a/b"}}
    )
    program = podpy.home / "bin/docker-credential-bad"
    program.write_text("#!/bin/sh\necho 'my secret'\nexit 3\n")
    program.chmod(0o755)
    done = podpy("pull", f"{host}/x", env=helper).fails(125, "docker-credential-bad get failed with exit code 3")
    assert "my secret" not in done.stderr
    done = podpy("pull", "--retry=0", "x.example/x", env=helper)
    assert "docker-credential-gone is not installed" in done.stderr
    podpy("pull", "y.example/x", env=helper).fails(125, "is not a name")
    program.write_text("#!/bin/sh\necho '[]'\n")
    podpy("pull", f"{host}/x", env=helper).fails(125, "can't be understood")


def test_a_namespace_has_its_own_credentials(podpy: Podpy, host: str, secure_registry: Registry, small: Image) -> None:
    secure_registry.push("team/small", "latest", small)
    secure_registry.push("small", "latest", small)
    assert log_in(podpy, f"{host}/team") == "Login Succeeded!"
    auth = json.loads((podpy.runtime_dir / "containers/auth.json").read_text())
    assert [*auth["auths"]] == [f"{host}/team"]
    podpy.ok("pull", f"{host}/team/small")
    podpy("pull", f"{host}/small").fails(125, "wants credentials")
    assert podpy.ok("login", "--get-login", f"{host}/team/small") == "alice"
    podpy("login", "--get-login", host).fails(125, f"not logged into {host}")
    podpy.ok("logout", f"{host}/team")


def test_a_compat_auth_file_has_dockers_form(podpy: Podpy, host: str) -> None:
    path = podpy.home / "config.json"
    path.write_text('{"HttpHeaders": {"a": "b"}}')
    path.chmod(0o666)
    podpy("login", "--compat-auth-file", str(path), "--authfile", "x", host).fails(125, "exclude each other")
    log_in(podpy, "--compat-auth-file", str(path), host)
    document = json.loads(path.read_text())
    assert document == {"HttpHeaders": {"a": "b"}, "auths": {host: pair()}}
    log_in_part = podpy("login", "-u", "alice", "-p", "wonderland", "--compat-auth-file", str(path), f"{host}/part")
    log_in_part.fails(125, "no credentials for parts of a registry")
    podpy.ok("logout", "--compat-auth-file", str(path), host)
    assert json.loads(path.read_text())["auths"] == {}


def test_dockers_files_are_read_and_told_apart(
    podpy: Podpy, host: str, secure_registry: Registry, small: Image
) -> None:
    secure_registry.push("small", "latest", small)
    legacy = write_json(podpy.home / ".dockercfg", {f"https://{host}/v1/": pair()})
    podpy.ok("pull", f"{host}/small")
    legacy.unlink()
    write_json(podpy.home / ".docker/config.json", {"auths": {host: pair()}})
    podpy.ok("pull", f"{host}/small")
    assert "established via docker login" in podpy.ok("logout", host)
    elsewhere = write_json(podpy.home / "docker/config.json", {"auths": {host: pair("bob")}})
    done = podpy("pull", f"{host}/small", env={"DOCKER_CONFIG": str(elsewhere.parent)})
    done.fails(125, "invalid username/password")  # that file stands for itself


def test_what_is_known_is_tried_before_anything_is_asked(podpy: Podpy, host: str) -> None:
    log_in(podpy, host)
    said = podpy.ok("login", host).splitlines()
    assert said[0] == f"Authenticating with existing credentials for {host}"
    assert said[1] == f"Existing credentials are valid. Already logged in to {host}"
    auth = podpy.runtime_dir / "containers/auth.json"
    auth.write_text(json.dumps({"auths": {host: pair("alice", "old")}}))
    done = podpy("login", "--verbose", host, input="\nwonderland\n")
    said = done.ok().splitlines()
    assert said[1] == "Existing credentials are invalid, please enter valid username and password"
    assert said[2:] == ["Login Succeeded!", f"Used: {auth}"]
    assert "Username (alice): " in done.stderr


def test_files_that_are_named(podpy: Podpy, host: str, secure_registry: Registry, small: Image) -> None:
    secure_registry.push("small", "latest", small)
    real = podpy.home / "real.json"
    link = podpy.home / "link.json"
    link.symlink_to(real)
    log_in(podpy, "--authfile", str(link), host)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    podpy.ok("pull", "--authfile", str(link), f"{host}/small")
    podpy.ok("pull", f"{host}/small", env={"REGISTRY_AUTH_FILE": str(real)})
    podpy("pull", "--authfile", "nothing", f"{host}/small").fails(125, "nothing: no such file")
    podpy("pull", f"{host}/small", env={"REGISTRY_AUTH_FILE": "/nothing"}).fails(125, "wants credentials")


def test_without_a_login_session_the_password_is_in_a_directory_of_the_users_own(
    podpy: Podpy, host: str, small: Image
) -> None:
    """`su` and cron set no XDG_RUNTIME_DIR; a push, which works in the user's namespace, finds what login kept."""
    runroot = podpy.home / "run"
    here, env = ("--runroot", str(runroot)), {"XDG_RUNTIME_DIR": ""}
    said = podpy.ok(
        *here, "login", "-v", "-u", "alice", "--password-stdin", host, input="wonderland\n", env=env
    ).splitlines()
    assert said == ["Login Succeeded!", f"Used: {runroot}/auth/auth.json"]
    podpy.ok(*here, "load", "-i", str(small.write_docker_archive(podpy.home / "a.tar", "small")), env=env)
    podpy.ok(*here, "push", "small", f"{host}/small", env=env)
    podpy.ok(*here, "pull", f"{host}/small", env=env)
    podpy.ok(*here, "logout", host, env=env)
    podpy(*here, "pull", f"{host}/small", env=env).fails(125, "wants credentials")
    podpy.ok(*here, "system", "migrate", env=env)


def test_no_password_is_one_line(podpy: Podpy, host: str) -> None:
    """Ctrl-D at the prompt."""
    ours, theirs = pty.openpty()
    process = podpy.popen("login", "-u", "alice", host, stdin=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        wait.for_text(terminal, b"Password: ")
        terminal.write(b"\x04")
        shown = wait.for_text(terminal, b"are needed")
    assert process.wait(60) == 125
    assert b"internal error" not in shown


def test_a_password_that_creds_lacks_is_asked_for(podpy: Podpy, host: str) -> None:
    """podman-pull(1): at a terminal only; a script is told, and no registry hears an empty password."""
    podpy("pull", "--creds", "alice", f"{host}/x").fails(125, "--creds: the password is missing", "USER:PASSWORD")
    podpy("search", "--creds", ":wonderland", f"{host}/x").fails(125, "--creds: the user's name is missing")
    for typed, code in ((b"wonderland\n", 0), (b"\n", 125), (b"\x04", 125)):
        ours, theirs = pty.openpty()
        command = ("search", "--creds", "alice", f"{host}/")
        process = podpy.popen(*command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        with os.fdopen(ours, "r+b", buffering=0) as terminal:
            wait.for_text(terminal, b"Password: ")
            terminal.write(typed)
            if code:
                wait.for_text(terminal, b"--creds: the password is missing")
            assert process.wait(60) == code


def test_what_cannot_be_logged_into(podpy: Podpy, host: str) -> None:
    podpy("login", f"{host}/x:tag").fails(125, "not a registry")
    podpy("login", "--password-stdin", host, input="x").fails(125, "needs --username")
    podpy("login", "-u", "a", "-p", "b", "--password-stdin", host, input="x").fails(125, "exclude each other")
    podpy("login", "-u", "a", "-p", "b", host).fails(125, "invalid username/password")
    podpy("logout", "--all", host).fails(125, "--all")


def test_a_blocked_registry_gets_no_password(podpy: Podpy, odd: OddRegistry) -> None:
    configure(podpy, f'[[registry]]\nlocation = "{odd.address}"\nblocked = true\n')
    login = ("login", "--tls-verify=false", "-u", "alice", "-p", "secret", odd.address)
    podpy(*login).fails(125, f"registry {odd.address} is blocked")
    assert odd.requests == []


def test_logins_at_once_all_count(tmp_path: Path) -> None:
    file = tmp_path / "auth.json"
    hosts = [f"r{number}.example" for number in range(20)]

    def login(host: str) -> None:
        AuthFiles(home=str(tmp_path), authfile=str(file), environ={}).store(host, Credentials("u", "p"))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(login, hosts))
    assert sorted(json.loads(file.read_text())["auths"]) == sorted(hosts)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["auth.json"]


def test_an_address_means_its_host(podpy: Podpy, host: str) -> None:
    said = podpy.ok("login", "-u", "alice", "-p", "wonderland", f"https://{host}/v2/")
    assert said == "Login Succeeded!"
    assert podpy.ok("login", "--get-login", host) == "alice"
    assert podpy.ok("login", "--get-login", f"http://{host}") == "alice"
    assert podpy.ok("logout", f"https://{host}") == f"Removed login credentials for {host}"
