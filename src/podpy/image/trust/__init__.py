"""Trust: whether policy.json accepts an image, and what its signatures must prove (containers-policy.json(5)).

    policy = PolicyContext(paths, Origin(transport="docker", scopes=docker_scopes(reference), reference=reference, …))
    policy.refuse_rejected()                    before the network is used
    policy.check_policy(manifest, lambda: signatures)  before anything of the image is stored

    scopes.py           the scopes of an image, per transport
    identity.py         signedIdentity: which name a signature must claim
    payload.py          the signed JSON document (containers-signature(5))
    simple_signing.py   GPG signatures, checked by the `gpg` program
    sigstore.py         sigstore signatures, checked by the `openssl` program
    signatures.py       reads signatures: from lookaside servers, attachments in the registry, files

A command that needs no signature imports none of the last four.
"""

from podpy.image.trust.policy_context import Origin, PolicyContext

__all__ = ["Origin", "PolicyContext"]
