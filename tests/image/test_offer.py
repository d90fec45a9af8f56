"""What a registry has under a name, before anything is pulled: the question that auto-update asks every day."""

from __future__ import annotations

import pytest

from podpy.errors import RegistryError
from podpy.image.incoming.pull import Offer, offer
from podpy.image.registry.access import PullOptions
from tests.image.odd_registry import OddRegistry
from tests.storage.stores import own_store
from tests.support.images import Image, sha256
from tests.support.registry import Registry

HTTP = PullOptions(tls_verify=False)


def ask(name: str, *known: str) -> Offer | None:
    with own_store() as store:
        paths = store.paths.replace(config_dirs=(f"{store.paths.runroot}/none",))
        return offer(store, paths, name, HTTP, known=known)


def test_what_is_known_costs_one_request_that_no_registry_counts_as_a_pull(odd: OddRegistry, small: Image) -> None:
    digest = odd.add("x", "1", small)
    assert ask(f"{odd.address}/x:1", "sha256:0", digest) is None
    assert [method for method, path, _ in odd.requests if "/manifests/" in path] == ["HEAD"]


def test_what_is_new_is_known_by_its_id_without_a_layer(odd: OddRegistry, small: Image) -> None:
    digest = odd.add("x", "latest", small)
    found = ask(f"{odd.address}/x", "sha256:0")
    assert found == Offer(id=sha256(small.config()).removeprefix("sha256:"), digest=digest)
    assert odd.blob_requests() == []


def test_of_an_index_it_is_this_machines_image(registry: Registry, index: str, small: Image) -> None:
    found = ask(index)
    assert found is not None
    assert found.id == sha256(small.config()).removeprefix("sha256:")
    assert found.digest != sha256(small.blobs()[0])
    assert ask(index, found.digest) is None


def test_a_registry_that_has_no_such_name_says_so(odd: OddRegistry) -> None:
    with pytest.raises(RegistryError):
        ask(f"{odd.address}/nothing:1")
