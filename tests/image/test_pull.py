"""`podpy pull` from a real registry: HTTP, TLS with its own authority, passwords; policies, platforms, names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.image.conftest import OTHER
from tests.image.odd_registry import INDEX_TYPE, OddRegistry
from tests.support.engine import Podpy
from tests.support.images import ARCHITECTURE, MANIFEST_TYPE, Image, Layer, sha256
from tests.support.registry import Registry


def configure(podpy: Podpy, text: str) -> None:
    """Write the user's registries.conf."""
    directory = podpy.home / ".config/containers"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "registries.conf").write_text(text)


def insecure(*addresses: str) -> str:
    return "".join(f'[[registry]]\nlocation = "{address}"\ninsecure = true\n' for address in addresses)


def test_pull_over_http_prints_podmans_lines_and_the_id(podpy: Podpy, registry: Registry, small: Image) -> None:
    digest = registry.push("x/small", "v1", small)
    name = f"{registry.address}/x/small:v1"
    done = podpy("pull", "--tls-verify=false", name)
    image_id = done.ok()
    lines = done.stderr.splitlines()
    assert lines[0] == f"Trying to pull {name}..."
    assert sum(line.startswith("Copying blob sha256:") for line in lines) == 2
    assert lines[-2] == f"Copying config sha256:{image_id}"
    assert lines[-1] == "Writing manifest to image destination"
    found = podpy.json("image", "inspect", name)[0]
    assert found["Digest"] == digest
    assert found["Id"] == image_id == sha256(small.config()).removeprefix("sha256:")
    assert found["RepoTags"] == [name]
    assert found["Config"]["User"] == "7"


def test_http_is_refused_unless_allowed(podpy: Podpy, registry: Registry, small: Image) -> None:
    registry.push("small", "latest", small)
    podpy("pull", f"{registry.address}/small").fails(125, "speaks HTTP, not HTTPS", "--tls-verify=false")
    configure(podpy, insecure(registry.address))
    podpy.ok("pull", f"{registry.address}/small")
    podpy("pull", "--tls-verify=true", f"{registry.address}/small").fails(125, "speaks HTTP")


def test_tls_with_an_own_authority_and_a_password(
    podpy: Podpy, secure_registry: Registry, small: Image, tmp_path: Path
) -> None:
    secure_registry.push("small", "latest", small)
    host, name = secure_registry.address, f"{secure_registry.address}/small"
    podpy("pull", name).fails(125, "certificate isn't trusted", f"certs.d/{host}/ca.crt")
    directory = podpy.home / ".config/containers/certs.d" / host
    directory.mkdir(parents=True)
    assert secure_registry.ca is not None
    shutil.copy(secure_registry.ca, directory / "ca.crt")
    (directory / "ca.crt").chmod(0o644)
    podpy("pull", name).fails(125, "wants credentials", f"podpy login {host}")
    wrong = podpy("pull", "--creds", "alice:wrong", name).fails(125, "invalid username/password")
    assert "wrong" not in wrong.stderr
    podpy.ok("pull", "--creds", "alice:wonderland", name)


def test_create_finds_its_image_with_the_credentials_and_certificates_that_it_is_given(
    podpy: Podpy, secure_registry: Registry, small: Image
) -> None:
    secure_registry.push("small", "latest", small)
    name = f"{secure_registry.address}/small"
    assert secure_registry.ca is not None
    directory = podpy.home / "certs"
    directory.mkdir()
    shutil.copy(secure_registry.ca, directory / "ca.crt")
    (directory / "ca.crt").chmod(0o644)
    certs = ("create", f"--cert-dir={directory}")
    podpy("create", name, "x").fails(125, "certificate isn't trusted")
    podpy(*certs, name, "x").fails(125, "wants credentials")
    podpy(*certs, "--creds=alice:wrong", name, "x").fails(125, "invalid username/password")
    podpy.ok(*certs, "--creds=alice:wonderland", name, "x")


def test_a_login_takes_its_password_from_a_secret(podpy: Podpy, secure_registry: Registry) -> None:
    host = secure_registry.address
    configure(podpy, insecure(host))
    podpy.ok("secret", "create", "alice", "-", input="wonderland\n")
    podpy("login", "--secret=alice", "--password=x", host).fails(125, "--secret can not be used with --password")
    podpy("login", "--secret=nosuch", host).fails(125, 'no secret with name or id "nosuch": no such secret')
    assert podpy.ok("login", "--secret=alice", host) == "Login Succeeded!"
    assert podpy.ok("login", "--get-login", host) == "alice"


def test_login_pull_logout(podpy: Podpy, secure_registry: Registry, small: Image) -> None:
    secure_registry.push("small", "latest", small)
    host = secure_registry.address
    configure(podpy, insecure(host))
    podpy("login", "-u", "alice", "--password-stdin", host, input="wrong").fails(125, "invalid username/password")
    assert podpy.ok("login", "-u", "alice", "--password-stdin", host, input="wonderland\n") == "Login Succeeded!"
    auth = podpy.runtime_dir / "containers/auth.json"
    assert auth.stat().st_mode & 0o777 == 0o600
    assert podpy.ok("login", "--get-login", host) == "alice"
    podpy.ok("pull", f"{host}/small")
    assert podpy.ok("logout", host) == f"Removed login credentials for {host}"
    podpy("pull", f"{host}/small").fails(125, "wants credentials")


def test_a_credential_helper_is_asked(podpy: Podpy, secure_registry: Registry, small: Image, tmp_path: Path) -> None:
    secure_registry.push("small", "latest", small)
    configure(podpy, insecure(secure_registry.address))
    tools = podpy.home / "bin"
    tools.mkdir()
    helper = tools / "docker-credential-ours"
    helper.write_text('#!/bin/sh\necho \'{"Username": "alice", "Secret": "wonderland"}\'\n')
    helper.chmod(0o755)
    docker = podpy.home / ".docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps({"credHelpers": {secure_registry.address: "ours"}}))
    path = {"PATH": f"{tools}:/usr/bin:/bin:/usr/sbin:/sbin"}
    podpy.ok("pull", f"{secure_registry.address}/small", env=path)
    helper.unlink()
    podpy("pull", f"{secure_registry.address}/small", env=path).fails(125, "docker-credential-ours is not installed")


def test_a_second_pull_asks_for_the_manifest_only_and_writes_nothing(
    podpy: Podpy, odd: OddRegistry, small: Image
) -> None:
    odd.add("x", "latest", small)
    configure(podpy, insecure(odd.address))
    podpy.ok("pull", f"{odd.address}/x")
    log = podpy.graphroot / "podpy.sqlite-wal"
    odd.requests.clear()
    before = log.stat().st_mtime_ns
    again = podpy("pull", f"{odd.address}/x")
    again.ok()
    assert again.stderr.splitlines()[-1] == "Writing manifest to image destination"
    assert log.stat().st_mtime_ns == before
    assert [path for path in odd.paths() if path != "/v2/"] == ["/v2/x/manifests/latest"]


def test_layers_that_are_here_are_not_fetched_again(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    odd.add("x", "latest", small)
    grown = Image([*small.layers, Layer().add("new", b"new").tar()])
    odd.add("y", "latest", grown)
    configure(podpy, insecure(odd.address))
    podpy.ok("pull", f"{odd.address}/x")
    odd.requests.clear()
    done = podpy("pull", f"{odd.address}/y")
    done.ok()
    assert done.stderr.count("skipped: already exists") == 2
    assert len(odd.blob_requests()) == 2  # the configuration and the new layer


def test_several_names_are_all_tried(podpy: Podpy, odd: OddRegistry, small: Image, bulky: Image) -> None:
    odd.add("x", "latest", small)
    odd.add("y", "2", bulky)
    configure(podpy, insecure(odd.address))
    names = [f"{odd.address}/{name}" for name in ("x", "nothing", "y:2")]
    done = podpy("pull", "-q", names[0], "UPPER", *names[1:])
    done.fails(125, "lowercase", f"{odd.address}/nothing")
    assert done.stdout.split() == [sha256(image.config())[7:] for image in (small, bulky)]
    assert len(done.complaints) == 2


def test_all_tags(podpy: Podpy, registry: Registry, small: Image, bulky: Image) -> None:
    for tag, image in (("1", small), ("2", bulky), ("latest", bulky)):
        registry.push("x/y", tag, image)
    configure(podpy, insecure(registry.address))
    ids = podpy.ok("pull", "-q", "--all-tags", f"{registry.address}/x/y:1").split()
    assert sorted(ids) == sorted(sha256(image.config())[7:] for image in (small, bulky, bulky))
    named = podpy.ok("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert sorted(named) == [f"{registry.address}/x/y:{tag}" for tag in ("1", "2", "latest")]
    podpy("pull", "-a", f"{registry.address}/none").fails(125, "list of tags")
    podpy("pull", "-a", "oci:/tmp/x").fails(125, 'pulling all tags is not supported for the transport "oci"')


def test_retries(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    odd.add("x", "latest", small)
    configure(podpy, insecure(odd.address))
    name = f"{odd.address}/x"
    odd.manifest_statuses = [(503, {})]
    podpy("pull", "--retry", "0", name).fails(125, "503")
    odd.manifest_statuses = [(503, {})] * 4
    done = podpy("pull", "--retry", "4", "--retry-delay", "1ms", name)
    done.ok()
    assert done.stderr.count("retrying in 0 s") == 4
    module = podpy.home / "patient.conf"
    module.write_text('[engine]\nretry = 2\nretry_delay = "1ms"\n')
    odd.manifest_statuses = [(503, {})] * 3
    done = podpy(f"--module={module}", "pull", "--policy=always", name).fails(125, "503")
    assert done.stderr.count("retrying in 0 s") == 2


def test_events_for_programs(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    odd.add("x", "latest", small)
    configure(podpy, insecure(odd.address))
    name = f"{odd.address}/x"
    done = podpy("pull", "--progress", "json", name, f"{odd.address}/nothing")
    done.fails(125, "Error: ")
    assert len(done.complaints) == 1
    told = [json.loads(line) for line in done.stdout.splitlines()]
    events = [event for event in told if event["event"] != "layer-advanced"]  # they come on a slow machine only
    kinds = [event["event"] for event in events]
    assert kinds[0] == kinds[-2] == "message"
    assert sorted(kinds[1:5]) == ["layer-done", "layer-done", "layer-started", "layer-started"]
    assert kinds[5:8] == ["config", "committing", "image"]
    assert events[7] == {"event": "image", "name": name, "id": sha256(small.config())[7:]}
    failed = events[-1]
    assert (failed["event"], failed["name"], failed["exit_code"]) == ("error", f"{odd.address}/nothing", 125)
    again = podpy.ok("pull", "--progress", "json", name)
    assert again.count('"layer-exists"') == 2


def test_policies(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    odd.add("x", "latest", small)
    configure(podpy, insecure(odd.address))
    name = f"{odd.address}/x"
    podpy("pull", "--policy", "never", name).fails(125, "image not known")
    assert odd.requests == []
    first = podpy.ok("pull", "-q", "--policy", "missing", name)
    odd.requests.clear()
    assert podpy.ok("pull", "-q", "--policy", "missing", name) == first
    assert podpy.ok("pull", "-q", "--policy", "never", name) == first
    assert odd.requests == []
    assert podpy.ok("pull", "-q", "--policy", "newer", name) == first
    assert odd.paths("HEAD") == ["/v2/x/manifests/latest"]
    odd.add("x", "latest", Image([Layer().add("other", b"1").tar()]))
    assert podpy.ok("pull", "-q", "--policy", "newer", name) != first


def test_newer_keeps_what_is_here_if_the_registry_is_gone(podpy: Podpy, small: Image) -> None:
    with OddRegistry.start() as gone:
        gone.add("x", "latest", small)
        configure(podpy, insecure(gone.address))
        name = f"{gone.address}/x"
        first = podpy.ok("pull", "-q", name)
    assert podpy.ok("pull", "-q", "--policy", "newer", name) == first
    podpy("pull", "-q", name).fails(125, "Connection refused")


def test_an_index_gives_this_platform_or_the_one_asked_for(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    foreign = Image([Layer().add("foreign", b"1").tar()], architecture="s390x")
    entries = []
    for image in (foreign, small):
        digest = odd.add("x", "single", image)
        platform = {"os": "linux", "architecture": image.architecture}
        entries.append({"mediaType": MANIFEST_TYPE, "digest": digest, "size": 1, "platform": platform})
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries}
    odd.add_manifest("x", "latest", index, INDEX_TYPE)
    configure(podpy, insecure(odd.address))
    name = f"{odd.address}/x"
    assert podpy.ok("pull", "-q", name) == sha256(small.config())[7:]
    odd.requests.clear()
    podpy.ok("pull", "-q", name)
    assert [path for path in odd.paths() if path != "/v2/"] == ["/v2/x/manifests/latest"]
    assert podpy.ok("pull", "-q", "--arch", "s390x", name) == sha256(foreign.config())[7:]
    podpy("pull", "--platform", "linux/riscv64", name).fails(
        125, f"{name}:latest: no image found in the image index", "linux/s390x"
    )


def test_by_digest(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    digest = odd.add("x", "latest", small)
    configure(podpy, insecure(odd.address))
    name = f"{odd.address}/x@{digest}"
    podpy.ok("pull", name)
    podpy.ok("image", "exists", name)
    assert podpy("image", "exists", f"{odd.address}/x:latest").returncode == 1


def test_a_manifest_that_isnt_what_its_digest_says(podpy: Podpy, odd: OddRegistry, small: Image, bulky: Image) -> None:
    digest = odd.add("x", "latest", small)
    odd.manifests[f"x/{digest}"] = (bulky.blobs()[0], MANIFEST_TYPE)
    configure(podpy, insecure(odd.address))
    podpy("pull", f"{odd.address}/x@{digest}").fails(125, "isn't what its digest")


def test_short_names_through_alias_and_search(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    odd.add("thing", "latest", small)
    odd.add("ns/thing", "latest", small)
    head = f'unqualified-search-registries = ["{odd.address}"]\n'
    configure(podpy, head + insecure(odd.address) + f'[aliases]\n"nick" = "{odd.address}/ns/thing"\n')
    done = podpy("pull", "thing")
    done.ok()
    assert 'Resolving "thing" using unqualified-search registries' in done.stderr
    done = podpy("pull", "nick")
    done.ok()
    assert 'Resolved "nick" as an alias' in done.stderr
    podpy.ok("image", "exists", "nick")


def test_a_mirror_is_asked_first_and_the_registry_after_it(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, small: Image, bulky: Image
) -> None:
    odd.add("x", "latest", small)
    other.add("m/x", "latest", small)
    odd.add("y", "latest", bulky)
    mirror = f'[[registry.mirror]]\nlocation = "{other.address}/m"\ninsecure = true\n'
    configure(podpy, insecure(odd.address) + mirror)
    podpy.ok("pull", f"{odd.address}/x")
    assert odd.requests == []
    podpy.ok("pull", f"{odd.address}/y")
    assert "/v2/m/y/manifests/latest" in other.paths()
    assert podpy.ok("images", "-n", "--format", "{{.Repository}}", "--sort", "repository").split() == sorted(
        [f"{odd.address}/x", f"{odd.address}/y"]
    )


def test_when_mirrors_and_registry_fail_both_are_told(podpy: Podpy, odd: OddRegistry, other: OddRegistry) -> None:
    mirror = f'[[registry.mirror]]\nlocation = "{other.address}/m"\ninsecure = true\n'
    configure(podpy, insecure(odd.address) + mirror)
    podpy("pull", f"{odd.address}/x").fails(125, f"(mirrors also failed: [{other.address}/m/x: manifest")


def test_the_password_for_a_registry_is_not_its_mirrors(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, small: Image
) -> None:
    other.wants_token, other.tokens_for = True, {"alice": "secret"}
    odd.wants_token, odd.tokens_for = True, {"alice": "secret"}
    odd.add("x", "latest", small)
    mirror = f'[[registry.mirror]]\nlocation = "{other.address}"\ninsecure = true\n'
    configure(podpy, insecure(odd.address) + mirror)
    podpy.ok("pull", "--creds", "alice:secret", f"{odd.address}/x")
    assert other.requests
    assert not any(headers.get("Authorization", "").startswith("Basic") for _, _, headers in other.requests)


def test_an_ambiguous_name_is_an_error_with_all_full_names(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    odd.add("thing", "v1", small)
    both = f'unqualified-search-registries = ["127.0.0.1:1", "{odd.address}"]\n'
    configure(podpy, both + insecure(odd.address, "127.0.0.1:1"))
    for command in (("pull",), ("run", "--rm"), ("create",)):
        done = podpy(*command, "thing:v1").fails(125, 'short-name "thing:v1" is ambiguous')
        assert f"127.0.0.1:1/thing:v1, {odd.address}/thing:v1" in done.stderr
    assert odd.requests == []
    configure(podpy, both + 'short-name-mode = "permissive"\n' + insecure(odd.address, "127.0.0.1:1"))
    podpy.ok("pull", "thing:v1")
    podpy.ok("image", "exists", "thing:v1")


def test_with_tag_and_digest_the_digest_decides(podpy: Podpy, odd: OddRegistry, busybox_image: Image) -> None:
    digest = odd.add("x", "v1", busybox_image)
    other = odd.add("x", "v2", Image([Layer().add("other", b"2").tar()]))
    configure(podpy, insecure(odd.address))
    name = f"{odd.address}/x"
    image = podpy.ok("pull", "-q", f"{name}:v2@{digest}")
    assert image == sha256(busybox_image.config())[7:]
    assert f"/v2/x/manifests/{digest}" in odd.paths()
    assert "/v2/x/manifests/v2" not in odd.paths()
    assert podpy.json("image", "inspect", image)[0]["RepoDigests"] == [f"{name}@{digest}"]
    # The store, too, looks for the digest; a tag beside it is only for people.
    assert podpy.ok("run", "--rm", "--pull", "never", f"{name}:any@{digest}", "echo", "hi") == "hi"
    podpy("run", "--rm", "--pull", "never", f"{name}:v1@{other}", "true").fails(125, "image not known")
    podpy("run", "--rm", f"{name}:v1@sha256:{'0' * 64}", "true").fails(125, "manifest")
    podpy("pull", f"{name}:v1@sha256:123").fails(125, "invalid reference format", "sha256 has 64 hex digits")
    podpy.ok("tag", f"{name}:any@{digest}", "mine:1")
    podpy("tag", "mine:1", f"other:1@{digest}").fails(125, "can't be given a digest")
    podpy.ok("rmi", f"{name}:any@{digest}")
    assert podpy.ok("images", "-n", "--format", "{{.Repository}}:{{.Tag}}") == "localhost/mine:1"
    podpy("rmi", f"{name}:v1@{digest}").fails(1, "image not known")


def test_a_blocked_registry(podpy: Podpy) -> None:
    configure(podpy, '[[registry]]\nlocation = "bad.example"\nblocked = true\n')
    podpy("pull", "bad.example/x").fails(125, "bad.example is blocked in", "registries.conf")


def test_a_policy_that_rejects(podpy: Podpy, odd: OddRegistry, small: Image) -> None:
    odd.add("x", "latest", small)
    configure(podpy, insecure(odd.address))
    (podpy.home / ".config/containers/policy.json").write_text('{"default": [{"type": "reject"}]}')
    podpy("pull", f"{odd.address}/x").fails(
        125, "Source image rejected: Running image docker://", "is rejected by policy"
    )
    assert odd.requests == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nosuch.invalid/x", "no such host: nosuch.invalid"),
        ("127.0.0.1:1/x", "Connection refused"),
        ("Upper", "must be lowercase"),
        ("no-such-alias-anywhere", "did not resolve to an alias"),
    ],
)
def test_names_that_lead_nowhere(podpy: Podpy, name: str, text: str) -> None:
    configure(podpy, "")
    podpy("pull", name).fails(125, text)


def test_what_the_registry_doesnt_have(podpy: Podpy, registry: Registry, small: Image) -> None:
    registry.push("small", "latest", small)
    configure(podpy, insecure(registry.address))
    podpy("pull", f"{registry.address}/small:nope").fails(125, "manifest unknown", "Check the name and the tag")
    podpy("pull", f"{registry.address}/nope").fails(125, "unknown")


def test_hello_needs_no_network(podpy: Podpy) -> None:
    configure(podpy, "")
    image_id = podpy.ok("pull", "hello")
    assert podpy.ok("images", "-n", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}") == (
        f"localhost/hello:latest sha256:{image_id}"
    )


def test_an_image_for_another_machine_is_taken_with_a_warning(podpy: Podpy, session_base: Path, small: Image) -> None:
    other = Image(small.layers, {"Cmd": ["/bin/x"]}, OTHER)
    place = f"oci-archive:{other.write_oci_archive(session_base / 'other.tar', 'localhost/other:1')}"
    warning = f"image platform (linux/{OTHER}) does not match the expected platform (linux/{ARCHITECTURE}"
    done = podpy("pull", "-q", place)
    done.ok()
    assert warning in done.stderr
    for options in (["--arch", OTHER], ["--platform", f"linux/{OTHER}"]):
        assert warning not in podpy("pull", *options, place).stderr
        assert podpy("create", *options, "other:1").stderr == ""
    done = podpy("create", "other:1")
    done.ok()
    assert done.stderr.count(warning) == 1


def test_a_local_image_for_another_machine_runs_if_no_registry_has_one(podpy: Podpy, busybox: str) -> None:
    warning = f"image platform (linux/{ARCHITECTURE}) does not match the expected platform (linux/{OTHER})"
    podpy.ok("tag", busybox, "127.0.0.1:1/x")  # nobody answers there
    for name in (busybox, "busybox", "127.0.0.1:1/x"):
        done = podpy("run", "--rm", "--network=none", "--platform", f"linux/{OTHER}", name, "echo", "hi")
        assert done.ok() == "hi"
        assert done.stderr.count(warning) == 1
    podpy("run", "--rm", "--pull=always", "--platform", f"linux/{OTHER}", "127.0.0.1:1/x").fails(125)


@pytest.mark.parametrize("command", [["pull"], ["create"], ["run", "--rm"]])
def test_the_platform_is_said_in_one_way(podpy: Podpy, command: list[str]) -> None:
    done = podpy(*command, "--platform", "linux/arm64", "--arch", "amd64", "localhost/x")
    done.fails(125, "--platform option can not be specified with --arch or --os")
