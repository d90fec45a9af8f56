"""The directory of the definitions: NAME.json for each network, as Podman has it.

A file is replaced whole, so no reader meets half of one; podpy reads without a lock. Whoever changes something holds
netavark.lock: Podman's lock, an fcntl(2) lock on the whole file. podpy takes it as an open file description's, which
excludes Podman's as well, and ends with the last descriptor; a second folder in this process is kept out, too.

A kill leaves NAME.json.new at most, which nobody reads and the next write of NAME takes. A file that can't be
understood is a ConfigError for who asks for that network, and a warning for who lists all; as for Podman it is none.
"""

from __future__ import annotations

import fcntl
import os
from stat import S_ISREG
from time import time_ns

from podpy import fastjson, files
from podpy.config.storage_conf import network_directory
from podpy.errors import AmbiguousNameError, ConfigError, NoSuchNetworkError
from podpy.network.definitions.network import Network, default, is_name
from podpy.notice import warn
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths

    Known = dict[str, tuple[tuple[int, ...], Network]]  # by the file's path: which file it was, and what it said

_SUFFIX = ".json"
_INDENT = 5
_ROOTS_LOCK = "/run/lock/netavark.lock"  # as Podman: the host has one network namespace, whatever the directory
_HEX = frozenset("0123456789abcdef")
# What Go's encoding/json writes instead of characters that HTML, or a JavaScript parser, would trip over.
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


class Folder:
    """The definitions in one directory, which the first change makes."""

    def __init__(self, path: str, conf: ContainersConf, *, lock: str = "") -> None:
        """`conf` names the default network, which needs no file, and its subnet. `lock`: its file, if elsewhere."""
        self.path = path
        self._lock = lock or f"{path}/netavark.lock"
        self._default_name = conf.default_network
        self._default_subnet = conf.default_subnet
        self._known: Known = {}

    def all(self) -> list[Network]:
        """Return all networks, by name. Warns of each file that can't be understood. Raises ConfigError (no access)."""
        found = {network.name: network for network in self._read_all()}
        if self._default_name not in found:
            found[self._default_name] = self._default()
        return [found[name] for name in sorted(found)]

    def find(self, name_or_id: str) -> Network:
        """Return a network by its name, its id or the beginning of its id.

        Raises NoSuchNetworkError, AmbiguousNameError, ConfigError (its file can't be understood).
        """
        network = self.get(name_or_id)
        if network is not None:
            return network
        named = []
        if name_or_id and _HEX.issuperset(name_or_id):
            named = [network for network in self.all() if network.id.startswith(name_or_id)]
        if len(named) > 1:
            raise AmbiguousNameError(f"more than one result for network ID {name_or_id}", hint="See: podpy network ls")
        if not named:
            raise self.unknown(name_or_id)
        return named[0]

    def unknown(self, name_or_id: str) -> NoSuchNetworkError:
        """Return the error for a network that isn't there."""
        return NoSuchNetworkError(
            f"unable to find network with name or ID {name_or_id}: network not found", hint="See: podpy network ls"
        )

    def get(self, name: str) -> Network | None:
        """Return the network with exactly this name, or None. Raises ConfigError (its file can't be understood)."""
        if not is_name(name):
            return None
        try:
            return _parse(self._file(name), self._known)
        except FileNotFoundError:
            return self._default() if name == self._default_name else None

    def named(self, name: str) -> Network:
        """Return the network with exactly this name. Raises NoSuchNetworkError, ConfigError."""
        found = self.get(name)
        if found is None:
            raise self.unknown(name)
        return found

    def exists(self, name_or_id: str) -> bool:
        """Return whether `find` finds a network. Raises AmbiguousNameError, ConfigError."""
        try:
            self.find(name_or_id)
        except NoSuchNetworkError:
            return False
        return True

    def locked(self) -> FolderLock:
        """Return a context in which nobody else, Podman included, changes a definition."""
        return FolderLock(self._lock)

    def write(self, network: Network) -> None:
        """Write a network's file; the caller holds the lock. It outlives a power cut. Raises OSError."""
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        files.replace(self._file(network.name), file_text(network), 0o644, lasting=True)

    def remove(self, name: str) -> None:
        """Remove a network's file, if there is one; the caller holds the lock. Raises OSError."""
        if files.unlink(self._file(name)):
            files.fsync_directory(self.path)

    def has_file(self, name: str) -> bool:
        """Return whether there is a file for this name, whatever is in it."""
        return os.path.lexists(self._file(name))

    def _file(self, name: str) -> str:
        return f"{self.path}/{name}{_SUFFIX}"

    def _default(self) -> Network:
        return default(self._default_name, self._default_subnet, rfc3339(time_ns()))

    def having(self, text: str) -> list[Network]:
        """Return the networks whose files have this text somewhere, in no order: the other ones aren't looked into."""
        return self._read_all(text)

    def _read_all(self, text: str = "") -> list[Network]:
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigError(f"can't read {self.path}: {error.strerror}") from error
        found = []
        for name in names:
            if not name.endswith(_SUFFIX) or not is_name(name.removesuffix(_SUFFIX)):
                continue
            if text and text not in files.read_small(f"{self.path}/{name}"):
                continue
            try:
                found.append(_parse(f"{self.path}/{name}", self._known))
            except FileNotFoundError:  # removed meanwhile
                continue
            except ConfigError as error:
                warn(error.message)
        return found


class FolderLock:
    """A context that holds netavark.lock, whose directory it makes if it is missing."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Wait for the lock. Raises ConfigError if there can't be one."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            self._descriptor = os.open(self._path, flags, 0o644)
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLKW, files.whole_file(fcntl.F_WRLCK))
        except OSError as error:
            raise ConfigError(f"can't lock the networks by {self._path}: {error.strerror}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # Closing isn't enough: a helper forked by another thread meanwhile has a copy of the descriptor.
        fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLKW, files.whole_file(fcntl.F_UNLCK))
        os.close(self._descriptor)


def folder(paths: Paths, conf: ContainersConf) -> Folder:
    """Return the folder of this user: network_config_dir of containers.conf (--network-config-dir), else Podman's.

    Raises ConfigError (storage.conf).
    """
    directory = conf.network_config_dir.rstrip("/") or network_directory(paths)
    return Folder(directory, conf, lock="" if paths.rootless else _ROOTS_LOCK)


def file_text(network: Network) -> str:
    """Return the content of a network's file, byte for byte as Podman writes it."""
    import json

    return json.dumps(network.as_json(), indent=_INDENT, ensure_ascii=False).translate(_ESCAPED) + "\n"


def _parse(path: str, known: Known) -> Network:
    """Return what a file defines; one that is in `known` and hasn't changed since isn't read again.

    Raises FileNotFoundError, and ConfigError for all else that is wrong with it.
    """
    try:
        status = os.stat(path)
        if not S_ISREG(status.st_mode):  # a FIFO would be waited for
            raise ValueError("it isn't a regular file")
        stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        before, there = known.get(path, ((), None))
        if there is not None and before == stamp:
            return there
        network = Network.from_json(fastjson.loads(files.read(path)))
        if f"{network.name}{_SUFFIX}" != os.path.basename(path):
            raise ValueError(f'it defines "{network.name}"')
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"network config file {path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        told = f"network config file {path} can't be understood: {error}"
        raise ConfigError(told, hint="Mend it by hand, or remove it") from None
    known[path] = stamp, network
    return network
