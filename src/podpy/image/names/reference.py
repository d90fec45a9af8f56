"""Image names: the grammar of `distribution/reference`, parsed by hand, because the hot path may not import `re`.

    reference  = name [":" tag] ["@" digest]
    name       = [domain "/"] path            at most 255 characters
    domain     = host [":" port]              host: a DNS name, an IPv4 address or an IPv6 address in brackets
    path       = component *("/" component)   component: a-z 0-9, joined by ".", "_", "__" or any number of "-"
    tag        = word *127(word | "." | "-")
    digest     = algorithm ":" 32*hex         sha256: 64 lower case hex digits

A first component is a domain if it holds "." or ":" or an upper case letter, or is "localhost"; otherwise the name is
short: registries.conf decides which registry it means (`podpy.image.names.short`).
"""

from __future__ import annotations

from podpy.errors import ImageError, shorten
from podpy.record import Record

NAME_LENGTH = 255
TAG_LENGTH = 128
DEFAULT_TAG = "latest"
# The transports that a source's name may begin with (containers-transports(5)).
STORE = "containers-storage:"
REGISTRY = "docker://"
DOCKER_DOMAIN = "docker.io"
DOCKER_LIBRARY = "library/"
LOCALHOST = "localhost"

_DIGITS = "0123456789"
_EMPTY = "repository name must have at least one component"
_UPPER_CASE = "repository name must be lowercase"
_HEX = _DIGITS + "abcdef"
_LOWER = "abcdefghijklmnopqrstuvwxyz" + _DIGITS
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WORD = _LOWER + _UPPER + "_"
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


def _only(text: str, characters: str) -> bool:
    """Return whether `text` isn't empty and has only `characters` (`strip` is CPython's fastest way to test that)."""
    return bool(text) and not text.strip(characters)


class Reference(Record):
    """A parsed image name. `domain` is empty for a short name; `tag` and `digest` are empty if not given."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def is_short(self) -> bool:
        """Whether the registry isn't named."""
        return not self.domain

    @property
    def name(self) -> str:
        """The name without tag and digest."""
        return f"{self.domain}/{self.path}" if self.domain else self.path

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    def with_default_tag(self) -> Reference:
        """Return the name with the tag `latest` if it has neither a tag nor a digest."""
        return self if self.tag or self.digest else self.replace(tag=DEFAULT_TAG)

    def without_tag_if_digest(self) -> Reference:
        """Return the name without its tag if it has a digest, which decides then (as in containers/image)."""
        return self.replace(tag="") if self.tag and self.digest else self

    def in_domain(self, domain: str) -> Reference:
        """Return this short name inside the registry `domain`, in canonical form."""
        return normalize(self.replace(domain=domain))


def parse(text: str) -> Reference:
    """Return what an image name says, short or not.

    Raises ImageError if it isn't a reference; the hint is what is wrong.
    """
    if not text:
        raise _invalid(text, _EMPTY)
    rest, digest = _split_digest(text)
    name, tag = _split_tag(rest, text)
    domain, path = _split_domain(name)
    if domain:
        _check_domain(domain, text)
    _check_path(path, text)
    if len(name) > NAME_LENGTH:
        raise _invalid(text, f"the name has more than {NAME_LENGTH} characters")
    return normalize(Reference(domain=domain, path=path, tag=tag, digest=digest))


def for_new_image(text: str) -> str:
    """Return the full name that an image or list made here gets: a short one lands in localhost/. Raises ImageError."""
    try:
        reference = parse(text)
    except ImageError as error:
        raise ImageError(error.message.replace("parsing reference", "normalizing name", 1), hint=error.hint) from None
    if reference.digest:
        raise ImageError(f"{text}: an image can't be given a digest", hint="Give a name and a tag")
    return str((reference.in_domain(LOCALHOST) if reference.is_short else reference).with_default_tag())


def normalize(reference: Reference) -> Reference:
    """Return the canonical form: docker.io's one-part names live under `library/`; index.docker.io is docker.io."""
    domain, path = reference.domain, reference.path
    if domain == "index.docker.io":
        domain = DOCKER_DOMAIN
    if domain == DOCKER_DOMAIN and "/" not in path:
        path = DOCKER_LIBRARY + path
    if domain == reference.domain and path == reference.path:
        return reference
    return reference.replace(domain=domain, path=path)


def is_hex(text: str) -> bool:
    """Return whether `text` consists of lower case hex digits."""
    return _only(text, _HEX)


def check_digest(text: str) -> str:
    """Return `text` if it is a well-formed digest (`sha256:` and 64 hex digits, sha384, sha512). Raises ImageError."""
    algorithm, colon, value = text.partition(":")
    if not colon or not _only(value, _HEX):
        raise ImageError(f'"{shorten(text)}" is not a digest: expected sha256: and 64 hex digits')
    if algorithm not in _DIGEST_LENGTHS:
        raise ImageError(f'digest "{shorten(text)}": the algorithm {shorten(algorithm)} is not supported')
    if len(value) != _DIGEST_LENGTHS[algorithm]:
        raise ImageError(f'digest "{shorten(text)}": {algorithm} has {_DIGEST_LENGTHS[algorithm]} hex digits')
    return text


def _invalid(text: str, why: str) -> ImageError:
    # Podman's words (docker/reference says no more than that it is wrong), and what is wrong as the hint.
    is_podmans = why in (_EMPTY, _UPPER_CASE)
    told = why if is_podmans else "invalid reference format"
    return ImageError(f'parsing reference "{shorten(text)}": {told}', hint="" if is_podmans else why)


def _split_digest(text: str) -> tuple[str, str]:
    rest, at, digest = text.partition("@")
    if not at:
        return rest, ""
    try:
        return rest, check_digest(digest)
    except ImageError as error:
        raise _invalid(text, error.message) from None


def _split_tag(rest: str, text: str) -> tuple[str, str]:
    # The tag's colon is after the last slash; a colon before it belongs to a port (or to an IPv6 address).
    slash = rest.rfind("/")
    colon = rest.rfind(":")
    if colon <= slash:
        return rest, ""
    name, tag = rest[:colon], rest[colon + 1 :]
    if not tag or len(tag) > TAG_LENGTH or not _only(tag, _WORD + ".-") or tag[0] in ".-":
        raise _invalid(text, f'the tag "{shorten(tag)}" is not a word of at most {TAG_LENGTH} letters, digits, _ . -')
    return name, tag


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and (first == LOCALHOST or "." in first or ":" in first or first.lower() != first):
        return first, rest
    return "", name


def _check_domain(domain: str, text: str) -> None:
    if domain.startswith("["):
        host, bracket, port = domain[1:].partition("]")
        fine = bool(bracket) and _only(host.lower(), _HEX + ":.") and (not port or port.startswith(":"))
        port = port[1:] if port else "0"
    else:
        host, colon, port = domain.partition(":")
        labels = host.split(".")
        fine = all(_only(label, _WORD[:-1] + "-") and label[0] != "-" and label[-1] != "-" for label in labels)
        port = port if colon else "0"
    if not fine or not _only(port, _DIGITS):
        raise _invalid(text, f'"{shorten(domain)}" is not a registry\'s name')


def _check_path(path: str, text: str) -> None:
    if path != path.lower():
        raise _invalid(text, _UPPER_CASE)
    for component in path.split("/"):
        if not _is_component(component):
            what = f'"{shorten(component)}"' if component else "an empty part"
            raise _invalid(text, f"{what} is not a name: letters a-z and digits, joined by . _ __ or -")


def _is_component(component: str) -> bool:
    if not _only(component, _LOWER + "._-") or component[0] not in _LOWER or component[-1] not in _LOWER:
        return False
    # Between letters and digits: one ".", one or two "_", or any number of "-"; never a mixture.
    separator = ""
    for character in component:
        if character in _LOWER:
            if separator and separator not in {".", "_", "__"} and separator.strip("-"):
                return False
            separator = ""
        else:
            separator += character
    return True
