"""policy.json as a file: what is an error in it, `image trust show`, `image trust set`."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from podpy.config import policy
from podpy.errors import ConfigError
from podpy.image.names.reference import parse
from podpy.image.trust.identity import check_identities
from podpy.image.trust.scopes import docker_scopes, path_scopes, storage_scopes
from tests.support.engine import Podpy
from tests.support.signing import ACCEPT, REJECT, Gpg, OpensslKey, signed_by, sigstore_signed, skopeo_refuses

REJECTED = "Source image rejected: "
KEYLESS = {"type": "signedBy", "keyType": "GPGKeys"}
KEYED = {"type": "sigstoreSigned"}


@pytest.mark.parametrize(
    ("requirement", "paths", "data"),
    [
        ({**KEYLESS, "keyPath": "/a"}, ["/a"], []),
        ({**KEYLESS, "keyPaths": ["/a", "/b"]}, ["/a", "/b"], []),
        ({**KEYLESS, "keyData": "YQ==\n"}, [], [b"a"]),
        ({**KEYED, "keyPaths": ["/a", "/b"]}, ["/a", "/b"], []),
        ({**KEYED, "keyDatas": ["YQ==", "Yg=="]}, [], [b"a", b"b"]),
    ],
)
def test_keys_are_files_or_data_one_or_several(
    requirement: dict[str, Any], paths: list[str], data: list[bytes]
) -> None:
    (found,) = policy.parse(json.dumps({"default": [requirement]}).encode(), "policy.json").default
    assert (found.key_paths, found.key_data) == (paths, data)
    assert found.identity.type == "matchRepoDigestOrExact"


TAGLESS = {"type": "exactReference", "dockerReference": "quay.io/x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "not JSON"),
        ('{"default": [{"type": "reject"}], "default": []}', 'the key "default" is there twice'),
        ("{}", 'it has no "default"'),
        ('{"default": []}', "default: the list of requirements is empty"),
        ('{"default": [{"type": "accept"}]}', 'default[0].type: unknown type "accept"'),
        ('{"default": [{"type": "reject"}], "transport": {}}', 'unknown key "transport"'),
        ('{"default": [{"type": "reject", "keyPath": "/x"}]}', 'default[0]: unknown key "keyPath"'),
        (json.dumps({"default": [KEYLESS]}), "exactly one of keyPath, keyPaths, keyData must be given; none is given"),
        (
            json.dumps({"default": [{**KEYLESS, "keyPath": "/x", "keyData": "eA=="}]}),
            "exactly one of keyPath, keyPaths, keyData must be given; keyPath, keyData are given",
        ),
        (json.dumps({"default": [{**KEYLESS, "keyData": "?"}]}), "default[0].keyData: it isn't base64"),
        (json.dumps({"default": [{**KEYLESS, "keyPaths": []}]}), "it isn't a list with one entry at least"),
        (
            json.dumps({"default": [{"type": "signedBy", "keyType": "X509Certificates", "keyPath": "/x"}]}),
            'default[0].keyType: "X509Certificates" is not supported',
        ),
        (
            json.dumps({"default": [{**KEYLESS, "keyPath": "/x", "signedIdentity": {"type": "matchAll"}}]}),
            'default[0].signedIdentity.type: unknown type "matchAll"',
        ),
        (
            json.dumps({"default": [{**KEYLESS, "keyPath": "/x", "signedIdentity": TAGLESS}]}),
            'default[0].signedIdentity.dockerReference: "quay.io/x" has neither a tag nor a digest',
        ),
        (
            json.dumps({"default": REJECT, "transports": {"docker": {"quay.io": [{"type": "x"}]}}}),
            'transports.docker["quay.io"][0].type: unknown type "x"',
        ),
        (
            json.dumps({"default": REJECT, "transports": {"docker-archive": {"/x": REJECT}}}),
            'transports.docker-archive["/x"]: docker-archive has no scopes',
        ),
        (json.dumps({"default": REJECT, "transports": {"dir": {"x": REJECT}}}), 'transports.dir["x"]'),
    ],
)
def test_a_policy_that_is_not_understood_is_an_error(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "policy.json"
    with pytest.raises(ConfigError, match=re.escape(expected)) as caught:
        check_identities(policy.parse(text.encode(), str(file)))
    assert str(caught.value).startswith(f"{file}: ")
    file.write_text(text)
    assert skopeo_refuses("127.0.0.1:1/x", file, tmp_path, tmp_path / "copy")


def test_a_wrong_policy_is_one_line_that_names_the_file_and_the_key(podpy: Podpy) -> None:
    file = podpy.home / ".config/containers/policy.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"default": [{"type": "accept"}]}))
    result = podpy("pull", "127.0.0.1:1/x").fails(125, f'{file}: default[0].type: unknown type "accept"')
    assert len(result.complaints) == 2  # Trying to pull …, the error
    file.unlink()
    file.symlink_to("nowhere")
    podpy("pull", "127.0.0.1:1/x").fails(125, f"{file}: No such file")


def test_a_policy_that_may_not_be_read_is_no_missing_one(podpy: Podpy) -> None:
    if podpy.is_root:
        pytest.skip("root may read everything")
    directory = podpy.home / ".config/containers"
    directory.mkdir(parents=True)
    file = directory / "policy.json"
    file.write_text(json.dumps({"default": ACCEPT}))
    directory.chmod(0)
    elsewhere = {"XDG_CONFIG_HOME": str(podpy.home / "elsewhere")}  # registries.conf is there, or isn't: it may be read
    pull = ("pull", "--tls-verify=false", "127.0.0.1:1/x")
    podpy(*pull, env=elsewhere).fails(125, f"{file}: Permission denied")
    podpy(*pull).fails(125, f"{directory}/containers.conf", "Permission denied")
    directory.chmod(0o755)


def test_the_policy_in_the_home_directory_counts_wherever_other_configuration_is(podpy: Podpy) -> None:
    file = podpy.home / ".config/containers/policy.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"default": REJECT}))
    podpy("pull", "127.0.0.1:1/x", env={"XDG_CONFIG_HOME": str(podpy.home / "elsewhere")}).fails(125, REJECTED)


def test_trust_show_is_podmans_table_and_json(podpy: Podpy, gpg: Gpg, ec_key: OpensslKey) -> None:
    file = podpy.home / ".config/containers/policy.json"
    registries_d = file.parent / "registries.d"
    registries_d.mkdir(parents=True)
    (registries_d / "x.yaml").write_text("docker: {quay.io: {lookaside: 'https://quay.example'}}")
    data = base64.b64encode(gpg.public["other"].read_bytes()).decode()
    scopes = {
        "quay.io/good": [*signed_by(gpg.public["good"]), {**KEYLESS, "keyData": data}],
        "b.example": sigstore_signed(ec_key.public),
        "docker.io": REJECT,
    }
    document = {"default": REJECT, "transports": {"docker-daemon": {"": ACCEPT}, "docker": scopes}}
    file.write_text(json.dumps(document))
    table = [line.split() for line in podpy.ok("image", "trust", "show").splitlines()]
    assert table == [
        ["TRANSPORT", "NAME", "TYPE", "ID", "STORE"],
        ["all", "default", "reject"],
        ["repository", "b.example", "sigstoreSigned", "N/A"],
        ["repository", "docker.io", "reject"],
        ["repository", "quay.io/good", "signed", "good@example.com", "https://quay.example"],
        ["repository", "quay.io/good", "signed", "other@example.com", "https://quay.example"],
        ["docker-daemon", "accept"],
    ]
    assert podpy.ok("image", "trust", "show", "-n").splitlines()[0].split() == table[1]
    assert json.loads(podpy.ok("image", "trust", "show", "--raw")) == document
    shown = podpy.json("image", "trust", "show", "--json")
    assert shown[0] == {"transport": "all", "name": "* (default)", "repo_name": "default", "type": "reject"}
    assert shown[3] == {
        "transport": "repository",
        "name": "quay.io/good",
        "repo_name": "quay.io/good",
        "sigstore": "https://quay.example",
        "type": "signed",
        "gpg_id": "good@example.com",
    }
    assert shown[-1] == {"transport": "docker-daemon", "type": "accept"}
    assert not (podpy.home / ".gnupg").exists()


def test_trust_set_writes_what_podman_writes(podpy: Podpy, gpg: Gpg, ec_key: OpensslKey, tmp_path: Path) -> None:
    file = podpy.home / ".config/containers/policy.json"
    theirs = tmp_path / "theirs.json"

    def change(*arguments: str) -> dict[str, Any]:
        podpy.ok("image", "trust", "set", "--signature-policy", str(file), *arguments)
        subprocess.run(["podman", "image", "trust", "set", "--policypath", str(theirs), *arguments], check=True)
        document: dict[str, Any] = json.loads(file.read_text())
        assert document == json.loads(theirs.read_text())
        assert file.read_text().strip() == theirs.read_text().strip()
        return document

    podpy("image", "trust", "set", "--signature-policy", str(file), "-t", "accept", "quay.io").fails(
        125, "default trust policy must be set"
    )
    change("-t", "reject", "default")
    change("--type", "accept", "quay.io/b")
    change("-f", str(gpg.public["good"]), "-f", str(gpg.public["other"]), "quay.io/b")
    change("-t", "sigstoreSigned", "-f", str(ec_key.public), "a.example:5000")
    document = change("-t", "reject", "quay.io/b")
    assert document["transports"]["docker"]["quay.io/b"] == REJECT
    assert [path.name for path in file.parent.iterdir()] == ["policy.json"]
    # Now it is this user's own file, which counts without being named, and is obeyed.
    podpy.ok("image", "trust", "set", "-t", "reject", "quay.io/c")
    assert "quay.io/c" in file.read_text()
    podpy("pull", "quay.io/c/d").fails(125, REJECTED)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("-t", "maybe", "quay.io"),
            "invalid choice: maybe (choose from 'accept', 'reject', 'signedBy', 'sigstoreSign",
        ),
        (("quay.io",), "at least one public key must be defined for type 'signedBy'"),
        (("-t", "accept", "-f", "/etc/passwd", "quay.io"), "1 public keys unexpectedly provided for trust type accept"),
        (("-f", "/nowhere/key", "quay.io"), "/nowhere/key: no such file"),
        (("-t", "accept", "https://quay.io"), "invalid image uri"),
        ((), "accepts 1 arg(s), received 0"),
    ],
)
def test_trust_set_refuses(podpy: Podpy, arguments: tuple[str, ...], text: str) -> None:
    podpy("image", "trust", "set", *arguments).fails(125, text)
    assert not (podpy.home / ".config/containers").exists()


def test_trust_set_leaves_a_file_alone_that_it_does_not_understand_or_may_not_write(podpy: Podpy) -> None:
    file = podpy.home / "policy.json"
    file.write_text('{"default": [{"type": "new"}]}')
    change = ("image", "trust", "set", "-t", "accept", "--signature-policy")
    podpy(*change, str(file), "default").fails(125, 'unknown type "new"')
    assert file.read_text() == '{"default": [{"type": "new"}]}'
    podpy(*change, "/proc/policy.json", "default").fails(125, "/proc/policy.json: ", "Change a copy of your own")


def test_signing_is_refused_in_one_line(podpy: Podpy) -> None:
    result = podpy("image", "sign", "--sign-by", "x", "quay.io/x").fails(
        125, "image sign: makes no signatures, podpy only verifies them"
    )
    assert len(result.complaints) == 1


# Scopes


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        (
            "docker.io/library/busybox:1",
            ["docker.io/library/busybox:1", "docker.io/library/busybox", "docker.io/library", "docker.io", "*.io"],
        ),
        (
            "a.b.example.com:5000/x",
            [
                "a.b.example.com:5000/x:latest", "a.b.example.com:5000/x", "a.b.example.com:5000",
                "*.b.example.com", "*.example.com", "*.com",
            ],
        ),
        (f"localhost/x:1@sha256:{'a' * 64}", [f"localhost/x@sha256:{'a' * 64}", "localhost/x", "localhost"]),
    ],
)  # fmt: skip
def test_the_scopes_of_a_name(name: str, scopes: list[str]) -> None:
    assert docker_scopes(parse(name)) == scopes


def test_the_scopes_of_files_and_stores(tmp_path: Path) -> None:
    (tmp_path / "real/inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    assert path_scopes(f"{tmp_path}/link/inner")[:2] == [f"{tmp_path}/real/inner", f"{tmp_path}/real"]
    assert "/" not in path_scopes(str(tmp_path))
    assert path_scopes("") == []
    assert storage_scopes("overlay", "/s", parse("a.io/x:1"), "f" * 64) == [
        f"[overlay@/s]a.io/x:1@{'f' * 64}", "[overlay@/s]a.io/x:1", "[overlay@/s]a.io/x", "[overlay@/s]a.io",
        "[overlay@/s]", "[/s]",
    ]  # fmt: skip


def test_the_first_scope_that_the_file_names_counts() -> None:
    scopes = {"*.example.com": ACCEPT, "a.example.com/x": REJECT, "": signed_by(Path("/key"))}
    found = policy.parse(json.dumps({"default": REJECT, "transports": {"docker": scopes}}).encode(), "policy.json")

    def kind(name: str, transport: str = "docker") -> str:
        return found.requirements(transport, docker_scopes(parse(name)))[0].type

    assert kind("a.example.com/x/y:1") == "reject"
    assert kind("a.example.com/xy:1") == "insecureAcceptAnything"
    assert kind("a.b.example.com:5000/x") == "insecureAcceptAnything"
    assert kind("example.com/x") == "signedBy"
    assert kind("a.example.com/xy", "docker-daemon") == "reject"
