"""Signatures made by the real programs: gpg (simple signing) and openssl (sigstore), and policies that ask for them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.images import CONFIG_TYPE, MANIFEST_TYPE, compact, sha256
from tests.support.registry import Registry

COSIGN_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
COSIGN_ANNOTATION = "dev.cosignproject.cosign/signature"
ACCEPT: list[dict[str, Any]] = [{"type": "insecureAcceptAnything"}]
REJECT: list[dict[str, Any]] = [{"type": "reject"}]


def claim(kind: str, digest: str, name: str) -> bytes:
    """Return a payload as containers-signature(5) describes it."""
    critical = {
        "type": kind,
        "image": {"docker-manifest-digest": digest},
        "identity": {"docker-reference": name},
    }
    return json.dumps({"critical": critical, "optional": {"creator": "tests", "timestamp": 1700000000}}).encode()


def at(day: str) -> str:
    """Return the option that lets gpg work on another day (20200131)."""
    return f"--faked-system-time={day}T000000!"


class Gpg:
    """Keys of 2020 in a home directory of their own: `good`, `other`, and `expired`, which was good for a month."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.home = home
        self.environment = {**os.environ, "GNUPGHOME": str(home)}
        self.public: dict[str, Path] = {}
        for name in ("good", "other"):
            self.make(name, "never")
        self.make("expired", "20200201T000000")

    def make(self, name: str, expires: str) -> None:
        """Make a key and its public file."""
        user = f"{name.title()} <{name}@example.com>"
        self.run("--passphrase", "", at("20200101"), "--quick-gen-key", user, "ed25519", "sign", expires)
        self._export(name)

    def revoke(self, name: str) -> None:
        """Revoke a key, in its public file, too."""
        listed = self.run("--with-colons", "--list-keys", f"{name}@example.com").decode().splitlines()
        fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr:"))
        # gpg has made the certificate together with the key, with a colon that keeps it from being used by mistake.
        certificate = (self.home / f"openpgp-revocs.d/{fingerprint}.rev").read_bytes()
        self.run("--import", data=certificate.replace(b":-----BEGIN", b"-----BEGIN"))
        self._export(name)

    def _export(self, name: str) -> None:
        path = self.home.parent / f"{name}.gpg"
        path.write_bytes(self.run("--export", f"{name}@example.com"))
        path.chmod(0o644)
        self.public[name] = path

    def run(self, *arguments: str, data: bytes = b"") -> bytes:
        """Run gpg on these keys and return what it prints."""
        command = ["gpg", "--batch", "--no-tty", "--quiet", *arguments]
        return subprocess.run(command, input=data, check=True, capture_output=True, env=self.environment).stdout

    def sign(self, payload: bytes, key: str = "good", *options: str) -> bytes:
        """Return a signed message."""
        return self.run(*options, "--local-user", f"{key}@example.com", "--sign", data=payload)

    def close(self) -> None:
        """End the agent that gpg has started for these keys."""
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=True, capture_output=True)


class OpensslKey:
    """A key pair of `openssl`; `public` is the PEM file."""

    def __init__(self, directory: Path, name: str, *options: str) -> None:
        self._private = directory / f"{name}.key"
        self.public = directory / f"{name}.pub"
        self._digest = () if "ed25519" in options else ("-digest", "sha256")
        _openssl("genpkey", *options, "-out", str(self._private))
        _openssl("pkey", "-in", str(self._private), "-pubout", "-out", str(self.public))
        self.public.chmod(0o644)

    def sign(self, payload: bytes) -> bytes:
        """Return the signature of a payload."""
        data, proof = self._private.with_suffix(".data"), self._private.with_suffix(".sig")
        data.write_bytes(payload)
        options = ("-sign", "-inkey", str(self._private), "-rawin", *self._digest)
        _openssl("pkeyutl", *options, "-in", str(data), "-out", str(proof))
        return proof.read_bytes()


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def attach(registry: Registry, repository: str, digest: str, signed: list[tuple[bytes, bytes]]) -> None:
    """Push (payload, signature) pairs as the sigstore attachment of the manifest `digest`."""
    layers = []
    for payload, signature in signed:
        registry.push_blob(repository, payload)
        annotations = {COSIGN_ANNOTATION: base64.b64encode(signature).decode()}
        size = len(payload)
        layers.append({"mediaType": COSIGN_LAYER, "digest": sha256(payload), "size": size, "annotations": annotations})
    diff_ids = [layer["digest"] for layer in layers]
    config = compact({"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}})
    registry.push_blob(repository, config)
    description = {"mediaType": CONFIG_TYPE, "digest": sha256(config), "size": len(config)}
    manifest = compact({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": description, "layers": layers})
    registry.push_manifest(repository, digest.replace(":", "-") + ".sig", manifest, MANIFEST_TYPE)


def signed_by(*keys: Path, **more: Any) -> list[dict[str, Any]]:
    """Return the requirements "signed by one of these GPG keys", with a `signedIdentity` if given."""
    source = {"keyPath": str(keys[0])} if len(keys) == 1 else {"keyPaths": [str(key) for key in keys]}
    return [{"type": "signedBy", "keyType": "GPGKeys", **source, **more}]


def sigstore_signed(key: Path, **more: Any) -> list[dict[str, Any]]:
    """Return the requirement "signed by this sigstore key"."""
    return [{"type": "sigstoreSigned", "keyPath": str(key), **more}]


def skopeo_refuses(name: str, policy: Path, registries_d: Path, target: Path) -> str:
    """Return why skopeo doesn't copy an image by this policy; an empty text if it does."""
    shutil.rmtree(target, ignore_errors=True)
    command = ["skopeo", "--policy", str(policy), "--registries.d", str(registries_d)]
    command += ["copy", "--src-tls-verify=false", f"docker://{name}", f"dir:{target}"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stderr if done.returncode else ""
