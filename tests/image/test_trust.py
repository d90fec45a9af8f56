"""policy.json, enforced: real signatures by gpg and openssl in a real registry, and skopeo decides the same."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from podpy.config import policy
from podpy.image.names.reference import parse
from podpy.image.trust.identity import check_identities, matches
from tests.image.odd_registry import INDEX_TYPE
from tests.support.engine import Podpy, Result
from tests.support.images import MANIFEST_TYPE, Image, Layer, compact, sha256
from tests.support.registry import Registry
from tests.support.signing import (
    ACCEPT,
    REJECT,
    Gpg,
    OpensslKey,
    at,
    attach,
    claim,
    signed_by,
    sigstore_signed,
    skopeo_refuses,
)

SIMPLE = "atomic container signature"
COSIGN = "cosign container image signature"
REJECTED = "Source image rejected: "
MISSING = "A signature was required, but no signature exists"


@pytest.fixture(scope="module")
def shared(session_base: Path) -> Iterator[Registry]:
    """One registry for all of these tests: each uses repositories of its own."""
    with Registry.start(session_base) as running:
        yield running


class Place:
    """One image in the registry, a lookaside directory for it, and a policy for podpy and skopeo alike."""

    def __init__(self, podpy: Podpy, registry: Registry, image: Image, repository: str, tmp_path: Path) -> None:
        self.podpy = podpy
        self.registry = registry
        self.repository = repository
        self.digest = registry.push(repository, "v1", image)
        self.name = f"{registry.address}/{repository}:v1"
        self.lookaside = podpy.home / "lookaside"
        self.config = podpy.home / ".config/containers"
        (self.config / "registries.d").mkdir(parents=True)
        self.policy = self.config / "policy.json"
        self.where(f"lookaside: file://{self.lookaside}")
        self._copy = tmp_path / "copy"

    def where(self, setting: str) -> None:
        """Write registries.d: where this registry's signatures are."""
        text = f"docker:\n  {self.registry.address}:\n    {setting}\n"
        (self.config / "registries.d/tests.yaml").write_text(text)

    def demand(self, requirements: list[dict[str, Any]], scope: str = "") -> None:
        """Write policy.json: nothing comes in but this registry's (or the scope's) images, as required."""
        document = {"default": REJECT, "transports": {"docker": {scope or self.registry.address: requirements}}}
        self.policy.write_text(json.dumps(document))

    def keep(self, *signatures: bytes, digest: str = "") -> None:
        """Put signatures into the lookaside directory."""
        directory = self.lookaside / f"{self.repository}@{(digest or self.digest).replace(':', '=')}"
        directory.mkdir(parents=True)
        for number, signature in enumerate(signatures, 1):
            (directory / f"signature-{number}").write_bytes(signature)

    def pull(self, name: str = "") -> Result:
        """Pull, and let skopeo decide about the same with the same files. Assert that both agree."""
        name = name or self.name
        result = self.podpy("pull", "--tls-verify=false", name)
        theirs = skopeo_refuses(name, self.policy, self.config / "registries.d", self._copy)
        # Debian 12 builds skopeo without sigstore: there it can only refuse.
        if "sigstore disabled" not in theirs:
            assert (result.returncode == 0) == (not theirs), f"{result.describe()}\nskopeo: {theirs}"
        return result

    def refuses(self, *texts: str, name: str = "") -> None:
        """Assert that the image is rejected, by skopeo too, with these texts, and that nothing of it is kept."""
        self.pull(name).fails(125, REJECTED, *texts)
        assert self.podpy.json("images", "--format", "json") == []

    def accepts(self, name: str = "") -> None:
        """Assert that the image comes in, and would by skopeo."""
        self.pull(name).ok()


@pytest.fixture
def place(podpy: Podpy, shared: Registry, small: Image, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The small image in a repository of this test's own."""
    repository = "trust/" + request.node.name.lower().replace("[", "-").replace("]", "").replace("_", "-")
    return Place(podpy, shared, small, repository, tmp_path)


def test_an_image_signed_by_the_right_key_comes_in(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    place.refuses(MISSING)
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
    place.accepts()
    assert place.podpy.ok("images", "-n", "--format", "{{.Repository}}:{{.Tag}}") == place.name


def test_one_good_signature_among_others_is_enough(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    payload = claim(SIMPLE, place.digest, place.name)
    place.keep(gpg.sign(payload, "other"), gpg.sign(payload))
    place.accepts()


def test_all_requirements_must_be_satisfied(place: Place, gpg: Gpg) -> None:
    payload = claim(SIMPLE, place.digest, place.name)
    place.keep(gpg.sign(payload))
    place.demand(signed_by(gpg.public["good"]) + signed_by(gpg.public["other"]))
    place.refuses("key that the policy doesn't name")
    place.demand(ACCEPT + signed_by(gpg.public["good"]))
    place.accepts()


def test_keys_may_be_several_files_or_in_the_policy_itself(place: Place, gpg: Gpg) -> None:
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
    place.demand(signed_by(gpg.public["other"], gpg.public["good"]))
    place.accepts()
    place.podpy.ok("rmi", place.name)
    armored = base64.b64encode(gpg.run("--armor", "--export", "good@example.com")).decode()
    place.demand([{"type": "signedBy", "keyType": "GPGKeys", "keyData": armored}])
    place.accepts()


def test_a_signature_by_another_key_is_rejected(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name), "other"))
    place.refuses("key that the policy doesn't name")


def test_a_signature_by_an_expired_key_is_rejected(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["expired"]))
    payload = claim(SIMPLE, place.digest, place.name)
    place.keep(gpg.sign(payload, "expired", at("20200115")))
    place.refuses("its key has expired")


def test_a_signature_by_a_revoked_key_is_rejected(place: Place, gpg: Gpg) -> None:
    gpg.make("revoked", "never")
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name), "revoked"))
    place.demand(signed_by(gpg.public["revoked"]))
    place.accepts()
    place.podpy.ok("rmi", place.name)
    gpg.revoke("revoked")
    place.refuses("its key was revoked")


def test_an_expired_signature_is_rejected(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    payload = claim(SIMPLE, place.digest, place.name)
    place.keep(gpg.sign(payload, "good", "--default-sig-expire=1d", at("20200115")))
    place.refuses("Invalid GPG signature: it has expired")


def test_a_tampered_signature_is_rejected(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    signature = gpg.sign(claim(SIMPLE, place.digest, place.name), "good", "--compress-level=0")
    place.keep(signature.replace(b'"tests"', b'"mallet'))
    place.refuses("it doesn't fit what is signed")


def test_what_is_no_signature_is_rejected(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    payload = claim(SIMPLE, place.digest, place.name)
    place.keep(gpg.run("--store", data=payload))  # a message that nobody signed
    place.refuses("one message with one signature")
    shutil.rmtree(place.lookaside)
    place.keep(gpg.run("--local-user", "good@example.com", "--clear-sign", data=payload))
    place.refuses("unrecognized signature format")


def test_several_signatures_on_one_message_or_unsigned_words_before_it_are_rejected(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"], gpg.public["other"]))
    payload = claim(SIMPLE, place.digest, place.name)
    users = ("--local-user", "good@example.com", "--local-user", "other@example.com")
    for message in (gpg.run(*users, "--sign", data=payload), gpg.run("--store", data=payload) + gpg.sign(payload)):
        shutil.rmtree(place.lookaside, ignore_errors=True)
        place.keep(message)
        place.refuses("one message with one signature")


def test_another_images_signature_is_rejected(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    place.keep(gpg.sign(claim(SIMPLE, "sha256:" + "0" * 64, place.name)))
    place.refuses(f"Signature for digest sha256:{'0' * 64} does not match")


def test_a_payload_that_says_more_than_it_may_is_rejected(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    document = json.loads(claim(SIMPLE, place.digest, place.name))
    document["critical"]["new"] = 1
    place.keep(gpg.sign(json.dumps(document).encode()))
    place.refuses("critical must be an object with type, image, identity and nothing else")
    shutil.rmtree(place.lookaside)
    place.keep(gpg.sign(claim(COSIGN, place.digest, place.name)))
    place.refuses("unrecognized signature type")


@pytest.mark.parametrize(
    ("identity", "claimed", "fits"),
    [
        ({"type": "matchExact"}, "SAME", True),
        ({"type": "matchExact"}, "OTHER-TAG", False),
        ({"type": "matchRepoDigestOrExact"}, "SAME", True),
        ({"type": "matchRepoDigestOrExact"}, "OTHER-TAG", False),
        ({"type": "matchRepository"}, "OTHER-TAG", True),
        ({"type": "matchRepository"}, "vendor.example/x:v1", False),
        ({"type": "exactReference", "dockerReference": "vendor.example/x:v1"}, "vendor.example/x:v1", True),
        ({"type": "exactReference", "dockerReference": "vendor.example/x:v1"}, "vendor.example/x:v2", False),
        ({"type": "exactReference", "dockerReference": "busybox:1"}, "docker.io/library/busybox:1", True),
        ({"type": "exactRepository", "dockerRepository": "vendor.example/x"}, "vendor.example/x:v2", True),
        ({"type": "exactRepository", "dockerRepository": "vendor.example/x"}, "vendor.example/y:v2", False),
        ({"type": "remapIdentity", "prefix": "HOST", "signedPrefix": "vendor.example/a"}, "REMAPPED", True),
        ({"type": "remapIdentity", "prefix": "HOST", "signedPrefix": "vendor.example/a"}, "SAME", False),
        ({"type": "remapIdentity", "prefix": "other.example", "signedPrefix": "vendor.example"}, "SAME", True),
        # A prefix ends where a component does: HOST/tru isn't one of HOST/trust.
        ({"type": "remapIdentity", "prefix": "HOST/tru", "signedPrefix": "a.example/tru"}, "SAME", True),
        (
            {"type": "remapIdentity", "prefix": "HOST/tru", "signedPrefix": "a.example/tru"},
            "a.example/trust/identity:v1",
            False,
        ),
    ],
)
def test_the_signed_identity(
    shared: Registry, small: Image, gpg: Gpg, tmp_path: Path, identity: dict[str, str], claimed: str, fits: bool
) -> None:
    host, name = shared.address, f"{shared.address}/trust/identity:v1"
    digest = shared.push("trust/identity", "v1", small)
    places = {"SAME": name, "OTHER-TAG": name[:-2] + "v2", "REMAPPED": name.replace(host, "vendor.example/a")}
    claimed = places.get(claimed, claimed)
    identity = {key: value.replace("HOST", host) for key, value in identity.items()}
    document = compact({"default": signed_by(gpg.public["good"], signedIdentity=identity)})
    found = policy.parse(document, "policy.json")
    check_identities(found)
    assert matches(found.default[0].identity, parse(name), claimed) == fits
    # The same by skopeo, with a real signature.
    (tmp_path / "policy.json").write_bytes(document)
    (tmp_path / "registries.d").mkdir()
    (tmp_path / "registries.d/x.yaml").write_text(f"default-docker: {{lookaside: 'file://{tmp_path}'}}")
    lookaside = tmp_path / f"trust/identity@{digest.replace(':', '=')}"
    lookaside.mkdir(parents=True)
    (lookaside / "signature-1").write_bytes(gpg.sign(claim(SIMPLE, digest, claimed)))
    why = skopeo_refuses(name, tmp_path / "policy.json", tmp_path / "registries.d", tmp_path / "copy")
    assert ("is not accepted" in why) == (not fits), why


def test_by_digest_the_repository_must_match_unless_exactness_is_demanded(place: Place, gpg: Gpg) -> None:
    by_digest = place.name.replace(":v1", f"@{place.digest}")
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
    place.demand(signed_by(gpg.public["good"], signedIdentity={"type": "matchExact"}))
    place.refuses("is not accepted", name=by_digest)
    place.demand(signed_by(gpg.public["good"]))
    place.accepts(by_digest)


def test_what_skopeo_signs_while_it_copies_is_accepted(place: Place, gpg: Gpg, small: Image, tmp_path: Path) -> None:
    source = small.write_oci_archive(tmp_path / "small.tar")
    place.where(f"lookaside-staging: file://{place.lookaside}\n    lookaside: file://{place.lookaside}")
    command = ["skopeo", "--registries.d", str(place.config / "registries.d"), "--insecure-policy", "copy"]
    command += ["--dest-tls-verify=false", "--sign-by", "good@example.com"]
    name = place.name.replace(":v1", ":copied")
    subprocess.run(
        [*command, f"oci-archive:{source}", f"docker://{name}"], check=True, capture_output=True, env=gpg.environment
    )
    for path in place.lookaside.rglob("*"):
        path.chmod(0o755)
    place.demand(signed_by(gpg.public["good"]))
    place.accepts(name)


def test_an_index_is_judged_by_the_image_that_is_taken_from_it(place: Place, gpg: Gpg, small: Image) -> None:
    entry = {"mediaType": MANIFEST_TYPE, "digest": place.digest, "size": len(small.blobs()[0])}
    platform = {"architecture": small.architecture, "os": "linux"}
    index = compact({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [{**entry, "platform": platform}]})
    place.registry.push_manifest(place.repository, "multi", index, INDEX_TYPE)
    name = place.name.replace(":v1", ":multi")
    place.demand(signed_by(gpg.public["good"]))
    place.keep(gpg.sign(claim(SIMPLE, sha256(index), name)), digest=sha256(index))
    place.refuses(MISSING, name=name)
    place.keep(gpg.sign(claim(SIMPLE, place.digest, name)))
    place.accepts(name)


def test_from_a_mirror_the_name_that_was_asked_for_must_be_signed(place: Place, gpg: Gpg) -> None:
    named = "named.example/x:v1"
    here = f"{place.registry.address}/{place.repository}"
    (place.config / "registries.conf").write_text(
        '[[registry]]\nprefix = "named.example/x"\nlocation = "127.0.0.1:1/x"\n'
        f'[[registry.mirror]]\nlocation = "{here}"\ninsecure = true\n'
    )
    place.demand(signed_by(gpg.public["good"]), scope="named.example")
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
    place.podpy("pull", named).fails(125, REJECTED, f'Signature for identity "{place.name}" is not accepted')
    shutil.rmtree(place.lookaside)
    place.keep(gpg.sign(claim(SIMPLE, place.digest, named)))
    place.podpy.ok("pull", named)
    assert place.podpy.ok("images", "-n", "--format", "{{.Repository}}:{{.Tag}}") == named


def test_the_registry_is_no_way_round_a_mirror_whose_image_is_rejected(place: Place, gpg: Gpg, small: Image) -> None:
    place.registry.push(f"{place.repository}-mirror", "v1", small)
    here = f"{place.registry.address}/{place.repository}"
    (place.config / "registries.conf").write_text(
        f'[[registry]]\nprefix = "named.example/x"\nlocation = "{here}"\ninsecure = true\n'
        f'[[registry.mirror]]\nlocation = "{here}-mirror"\ninsecure = true\n'
    )
    place.demand(signed_by(gpg.public["good"]), scope="named.example")
    place.keep(gpg.sign(claim(SIMPLE, place.digest, "named.example/x:v1")))  # the registry's, not the mirror's
    place.podpy("pull", "named.example/x:v1").fails(125, REJECTED, MISSING)
    assert place.podpy.json("images", "--format", "json") == []


def test_a_lookaside_server_is_asked_by_http(place: Place, gpg: Gpg) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(place.lookaside))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        place.where(f"sigstore: http://127.0.0.1:{server.server_address[1]}")  # the key's old name
        place.demand(signed_by(gpg.public["good"]))
        place.refuses(MISSING)
        place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
        place.accepts()
        server.shutdown()


def test_a_lookaside_server_that_fails_rejects(place: Place, gpg: Gpg) -> None:
    place.where("lookaside: http://127.0.0.1:1")
    place.demand(signed_by(gpg.public["good"]))
    place.refuses("Connection refused")
    place.where("lookaside: ftp://127.0.0.1")
    place.refuses("must be a file://, http:// or https:// URL")


def test_signatures_without_end_reject(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    place.keep(*[b"\x90" + bytes((4 << 20) - 1)] * 5)
    result = place.podpy("pull", "--tls-verify=false", place.name)
    result.fails(125, REJECTED, "the signatures have more than 16777216 bytes")


def test_keys_that_cannot_be_read_reject(place: Place, gpg: Gpg) -> None:
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
    place.demand(signed_by(Path("/nowhere/key.gpg")))
    place.refuses("/nowhere/key.gpg: No such file")
    place.demand([{"type": "signedBy", "keyType": "GPGKeys", "keyData": base64.b64encode(b"no key").decode()}])
    place.refuses("No public keys imported")


def test_a_kill_while_a_signature_is_checked_leaves_nothing_behind(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
    killer = place.podpy.home / "bin/gpg"
    killer.parent.mkdir()
    killer.write_text("#!/bin/sh\nkill -9 $PPID\n")
    killer.chmod(0o755)
    path = f"{killer.parent}:/usr/bin:/bin"
    assert place.podpy("pull", "--tls-verify=false", place.name, env={"PATH": path}).returncode == -9
    place.accepts()
    assert [entry.name for entry in (place.podpy.graphroot / "tmp").iterdir()] in ([], ["blobs"])


# sigstore


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_a_sigstore_signature_by_the_right_key_lets_in(place: Place, session_base: Path, kind: str) -> None:
    options = {
        "ec": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        "rsa": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        "ed25519": ("-algorithm", "ed25519"),
    }
    key = OpensslKey(session_base, f"sigstore-{kind}", *options[kind])
    payload = claim(COSIGN, place.digest, place.name)
    attach(place.registry, place.repository, place.digest, [(payload, key.sign(payload))])
    place.demand(sigstore_signed(key.public))
    place.refuses(MISSING)  # attachments are looked for only where registries.d says so
    place.where("use-sigstore-attachments: true")
    place.accepts()


def test_bad_sigstore_signatures_are_rejected(place: Place, ec_key: OpensslKey, session_base: Path) -> None:
    place.where("use-sigstore-attachments: true")
    place.demand(sigstore_signed(ec_key.public))
    place.refuses(MISSING)
    payload = claim(COSIGN, place.digest, place.name)
    stranger = OpensslKey(session_base, "stranger", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    attach(place.registry, place.repository, place.digest, [(payload, stranger.sign(payload))])
    place.refuses("cryptographic signature verification failed")
    attach(place.registry, place.repository, place.digest, [(payload + b" ", ec_key.sign(payload))])
    place.refuses("cryptographic signature verification failed")
    other = claim(COSIGN, "sha256:" + "1" * 64, place.name)
    attach(place.registry, place.repository, place.digest, [(other, ec_key.sign(other))])
    place.refuses("does not match")
    elsewhere = claim(COSIGN, place.digest, "vendor.example/x:v1")
    attach(place.registry, place.repository, place.digest, [(elsewhere, ec_key.sign(elsewhere))])
    place.refuses('Signature for identity "vendor.example/x:v1" is not accepted')
    attach(
        place.registry, place.repository, place.digest,
        [(elsewhere, ec_key.sign(elsewhere)), (payload, ec_key.sign(payload))],
    )  # fmt: skip
    place.accepts()


def test_cosigns_own_payloads_name_a_repository_only(place: Place, ec_key: OpensslKey) -> None:
    place.where("use-sigstore-attachments: true")
    document = json.loads(claim(COSIGN, place.digest, place.name.removesuffix(":v1")))
    payload = json.dumps({**document, "optional": None}).encode()
    attach(place.registry, place.repository, place.digest, [(payload, ec_key.sign(payload))])
    place.demand(sigstore_signed(ec_key.public))
    place.refuses("is not accepted")
    place.demand(sigstore_signed(ec_key.public, signedIdentity={"type": "matchRepository"}))
    place.accepts()


def test_one_kind_of_signature_does_not_stand_for_the_other(place: Place, gpg: Gpg, ec_key: OpensslKey) -> None:
    place.where(f"use-sigstore-attachments: true\n    lookaside: file://{place.lookaside}")
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
    place.demand(sigstore_signed(ec_key.public))
    place.refuses("only other kinds of signatures exist")
    payload = claim(COSIGN, place.digest, place.name)
    attach(place.registry, place.repository, place.digest, [(payload, ec_key.sign(payload))])
    place.accepts()
    place.demand(signed_by(gpg.public["good"]))
    place.accepts()


def test_what_podpy_cannot_check_it_rejects(place: Place, ec_key: OpensslKey) -> None:
    place.where("use-sigstore-attachments: true")
    payload = claim(COSIGN, place.digest, place.name)
    attach(place.registry, place.repository, place.digest, [(payload, ec_key.sign(payload))])
    place.demand(sigstore_signed(ec_key.public, rekorPublicKeyPath=str(ec_key.public)))
    place.refuses("rekorPublicKeyPath", "not supported by podpy")
    place.demand(sigstore_signed(Path("/etc/passwd")))
    place.refuses("not a PEM public key")


# Scopes, other transports, files


def test_the_most_specific_scope_counts(place: Place) -> None:
    host, repository = place.registry.address, f"{place.registry.address}/{place.repository}"
    place.policy.write_text(
        json.dumps({"default": ACCEPT, "transports": {"docker": {host: ACCEPT, f"{host}/trust": REJECT}}})
    )
    place.refuses(f"Running image docker://{place.name} is rejected by policy")
    scopes = {"": REJECT, f"{host}/trust": REJECT, repository: ACCEPT}
    place.policy.write_text(json.dumps({"default": REJECT, "transports": {"docker": scopes}}))
    place.accepts()
    place.podpy.ok("rmi", place.name)
    scopes[place.name] = REJECT
    place.policy.write_text(json.dumps({"default": ACCEPT, "transports": {"docker": scopes}}))
    place.refuses("is rejected by policy")
    # A host without its port, and the beginning of a repository's name, mean other images.
    scopes = {"127.0.0.1": ACCEPT, f"{host}/tru": ACCEPT}
    place.policy.write_text(json.dumps({"default": REJECT, "transports": {"docker": scopes}}))
    place.refuses("is rejected by policy")


def test_nothing_is_asked_for_an_image_that_is_rejected_anyway(podpy: Podpy) -> None:
    file = podpy.home / "policy.json"
    file.write_text(json.dumps({"default": REJECT}))
    result = podpy("pull", "--signature-policy", str(file), "127.0.0.1:1/x:v1")
    result.fails(125, "Source image rejected: Running image docker://127.0.0.1:1/x:v1 is rejected by policy")
    podpy("run", "--rm", "--signature-policy", str(file), "127.0.0.1:1/x:v1").fails(125, REJECTED)
    podpy("create", "--signature-policy", str(file), "127.0.0.1:1/x:v1").fails(125, REJECTED)
    podpy("import", "--signature-policy", str(file), "-", input=Layer().tar()).fails(125, REJECTED, "tarball:-")
    podpy("run", "--rm", "127.0.0.1:1/x:v1", env={"XDG_CONFIG_HOME": str(_config(podpy, REJECT))}).fails(125, REJECTED)


def _config(podpy: Podpy, default: list[dict[str, Any]]) -> Path:
    directory = podpy.home / "other-config"
    (directory / "containers").mkdir(parents=True)
    (directory / "containers/policy.json").write_text(json.dumps({"default": default}))
    return directory


def test_a_directory_brings_its_signatures_along(place: Place, gpg: Gpg) -> None:
    place.keep(gpg.sign(claim(SIMPLE, place.digest, place.name)))
    directory = place.podpy.home / "copied"
    place.demand(ACCEPT)
    assert not skopeo_refuses(place.name, place.policy, place.config / "registries.d", directory)
    pull = ("pull", f"dir:{directory}")
    identity = {"type": "exactRepository", "dockerRepository": f"{place.registry.address}/{place.repository}"}
    for demanded, text in (({}, "is not accepted"), ({"signedIdentity": identity}, "")):
        requirements = signed_by(gpg.public["good"], **demanded)
        place.policy.write_text(json.dumps({"default": REJECT, "transports": {"dir": {str(directory): requirements}}}))
        if text:
            place.podpy(*pull).fails(125, REJECTED, text)  # a directory has no name of its own
        else:
            place.podpy.ok(*pull)


def test_a_directorys_index_is_judged_by_the_image_that_is_taken_from_it(podpy: Podpy, gpg: Gpg, small: Image) -> None:
    directory = podpy.home / "many"
    directory.mkdir()
    manifest, blobs = small.blobs()
    for digest, data in blobs.items():
        (directory / digest.partition(":")[2]).write_bytes(data)
    taken = sha256(manifest).partition(":")[2]
    (directory / f"{taken}.manifest.json").write_bytes(manifest)
    platform = {"architecture": small.architecture, "os": "linux"}
    entry = {"mediaType": MANIFEST_TYPE, "digest": sha256(manifest), "size": len(manifest), "platform": platform}
    index = compact({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]})
    (directory / "manifest.json").write_bytes(index)
    identity = {"type": "exactRepository", "dockerRepository": "vendor.example/x"}
    file = podpy.home / "policy.json"
    demanded = signed_by(gpg.public["good"], signedIdentity=identity)
    file.write_text(json.dumps({"default": REJECT, "transports": {"dir": {"": demanded}}}))
    pull = ("pull", "--signature-policy", str(file), f"dir:{directory}")
    (directory / "signature-1").write_bytes(gpg.sign(claim(SIMPLE, sha256(index), "vendor.example/x:1")))
    podpy(*pull).fails(125, REJECTED, MISSING)
    (directory / f"{taken}.signature-1").write_bytes(gpg.sign(claim(SIMPLE, sha256(manifest), "vendor.example/x:1")))
    podpy.ok(*pull)


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive", "oci"])
def test_load_obeys_the_policy(podpy: Podpy, small: Image, gpg: Gpg, kind: str) -> None:
    path = podpy.home / "archive"
    if kind == "docker-archive":
        small.write_docker_archive(path, "localhost/x:v1")
    elif kind == "oci-archive":
        small.write_oci_archive(path, "localhost/x:v1")
    else:
        small.write_oci_directory(path, "localhost/x:v1")
    file = podpy.home / "policy.json"
    load = ("load", "--signature-policy", str(file), "-i", str(path))
    scope = "" if kind == "docker-archive" else str(podpy.home)
    for requirements, text in ((REJECT, "is rejected by policy"), (signed_by(gpg.public["good"]), MISSING)):
        file.write_text(json.dumps({"default": ACCEPT, "transports": {kind: {scope: requirements}}}))
        podpy(*load).fails(125, REJECTED, text)
        podpy("pull", "--signature-policy", str(file), f"{kind}:{path}").fails(125, REJECTED)
    assert podpy.json("images", "--format", "json") == []
    file.write_text(json.dumps({"default": REJECT, "transports": {kind: {scope: ACCEPT}}}))
    podpy.ok(*load)


def test_a_registries_d_that_is_not_understood_is_an_error(place: Place, gpg: Gpg) -> None:
    place.demand(signed_by(gpg.public["good"]))
    place.where("lookaside: 7")
    place.podpy("pull", "--tls-verify=false", place.name).fails(125, REJECTED, "lookaside is not a text")
    place.where(f"lookaside: file:///x\n  {place.registry.address}:\n    lookaside: file:///y")
    place.refuses("is there twice")
    place.where("lookaside: file:///x")
    shutil.copy(place.config / "registries.d/tests.yaml", place.config / "registries.d/too.yaml")
    place.refuses(f"docker.{place.registry.address} is defined both in")
