"""Identifiers and invented names."""

from __future__ import annotations

import os

_SHORT_ID = 12
_ADJECTIVES = (
    "agile amber ample ardent balmy bold brave bright brisk calm candid careful cheerful clever cosmic crisp curious "
    "daring deft eager early earnest easy epic fair famous fearless fine fluent fond frank fresh gentle glad golden "
    "graceful grand happy hardy honest humble ideal jolly keen kind lively loyal lucid lucky mellow merry modest neat "
    "nimble noble patient placid plucky polite prime proud quick quiet rapid ready rustic serene sharp silent sincere "
    "smart snug sober solid steady stoic sunny sturdy swift tidy tranquil trusty upbeat vivid warm wise witty zesty"
).split()
_PEOPLE = (
    "adleman allen babbage backus bartik bernerslee borg boole brooks cerf chomsky church cocke codd conway cook "
    "cray curry dahl dijkstra engelbart easley fagin feinler floyd franklin goedel goldberg gosling gray hamilton "
    "hamming hoare hollerith holberton hopper huffman iverson jacquard johnson kahan kahn karp keller kernighan "
    "kilburn kleene knuth lamport lampson liskov lovelace mccarthy mcilroy meitner metcalfe milner minsky moore naur "
    "neumann newell noether noyce nygaard perlis perlman pike postel rabin ritchie rivest scott shamir shannon sifakis "
    "stallman strachey sutherland tarjan thompson torvalds turing ullman valiant wilkes wirth yao zuse"
).split()


def new_id() -> str:
    """Return a container id: 64 random hexadecimal digits.

    Not all of the first twelve are decimal ones, which is so for one in 281: they are the host name, and programs take
    such a name for an IPv4 address (inet_aton(3)) that they don't look up. Podman draws again, too.
    """
    while (found := os.urandom(32).hex())[:_SHORT_ID].isdecimal():
        pass
    return found


def is_id(text: str) -> bool:
    """Return whether a text has the form of an id from `new_id`."""
    return len(text) == 64 and not text.strip("0123456789abcdef")


def invent_name() -> str:
    """Return a name such as `swift_hopper`; the caller must check whether it is taken."""
    pick = int.from_bytes(os.urandom(4), "little")
    pick, adjective = divmod(pick, len(_ADJECTIVES))
    return f"{_ADJECTIVES[adjective]}_{_PEOPLE[pick % len(_PEOPLE)]}"


def is_valid_name(name: str) -> bool:
    """Return whether Podman would take this as a container's name: [a-zA-Z0-9][a-zA-Z0-9_.-]*."""
    return name[:1].isalnum() and name.isascii() and all(c.isalnum() or c in "_.-" for c in name)
