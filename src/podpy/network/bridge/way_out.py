"""The shared namespace's way out: one pasta (slirp4netns where pasta isn't installed) with the device `out0`.

Its addresses are podpy's fixed ones (podpy.network.private.pasta), whatever the host's network is or becomes: the
containers' are translated to 10.0.2.100 and fd50:6f64:7079::100 by the firewall. What containers.conf says of the
program counts but for these (`pasta_options`, `network_cmd_options`).

    pasta.pid, slirp4netns.pid   who it is; there when it is ready, so that nobody waits who comes later
    way-out.lock                 held from its start until it is ready: who comes meanwhile waits for that. It goes with
                                 the namespace: without it none was started there
"""

from __future__ import annotations

import os

from podpy import files, process
from podpy.network import hostinfo, mode, netns
from podpy.network.bridge.firewall import WAY_OUT
from podpy.network.private import pasta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.containers_conf import ContainersConf

LOCK = "way-out.lock"
_HARDWARE_ADDRESS = "9a:55:9a:55:9a:55"  # the gateway's: the loopback device has none to copy, and old pasta wants one


class WayOut:
    """The program that connects the namespace at `directory`/netns with the host's network."""

    def __init__(self, directory: str, conf: ContainersConf, *, rootful: bool) -> None:
        self._directory = directory
        self._conf = conf
        self._rootful = rootful
        self._netns = os.path.join(directory, netns.NETNS)
        self._lock = -1
        self._pid = 0
        self._ready = -1
        self._messages = -1
        self._program = ""

    def was_started(self) -> bool:
        """Return whether there was, or is, one in this namespace: a killed call's may be getting ready."""
        return os.path.exists(os.path.join(self._directory, LOCK))

    def is_there(self) -> bool:
        """Return whether it is ready."""
        return netns.has_helper(self._directory)

    def is_new_pasta(self, cache: str) -> bool:
        """Return what podpy.network.mode.is_new_pasta says of it. Raises NotSupportedError without a program for it."""
        return mode.is_new_pasta(mode.parse("", self._conf), cache)

    def pid(self) -> int:
        """Return its pid; 0 if it isn't there."""
        for name in netns.PID_FILES if self.is_there() else ():
            text = files.read_small(os.path.join(self._directory, name)).strip()
            if text.isdigit():
                return int(text)
        return 0

    def start(self, *, again: bool) -> None:
        """Start it if nobody has, and return at once. The namespace is mounted at its path for this process.

        `again`: the namespace isn't new. Raises NotSupportedError without a program for it.
        """
        import fcntl

        if self._pid or self.is_there():
            return
        lock = self._open_lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody is at it
            os.close(lock)
            return
        self._lock = lock
        try:
            self._start(again=again)
        except BaseException:
            self._release()
            raise

    def wait(self) -> None:
        """Wait until it is ready, whoever started it; start it where that one failed. Raises NetworkSetupError."""
        import fcntl

        if self._pid:
            self._finish()
            return
        if self.is_there():
            return
        lock = self._open_lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.is_there():
                return
            self._lock, lock = lock, -1
            self._start(again=True)
            self._finish()
        finally:
            if lock >= 0:
                os.close(lock)
            self._release()

    def abandon(self) -> None:
        """End what `start` has started and `wait` hasn't waited for."""
        if self._pid:
            os.kill(self._pid, 9)
            process.wait(self._pid)
            self._forget()

    def _open_lock(self) -> int:
        return os.open(os.path.join(self._directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _start(self, *, again: bool) -> None:
        """Start it, with the lock held. `again`: a killed one may be ending, or a killed call's be getting ready; there
        is one device only.
        """
        if again:
            netns.end_every(self._directory)
        kind = mode.parse("", self._conf)
        self._program = kind.kind
        self._messages, messages = process.pipe()
        self._ready, ready = process.pipe()
        command = self._pasta(kind) if kind.kind == mode.PASTA else self._slirp(kind, ready)
        try:
            self._pid = process.spawn(
                command,
                environment=process.tool_environment(),
                stdin=-1,
                stdout=-1,
                stderr=messages,
                keep=[] if kind.kind == mode.PASTA else [ready],
                session=True,  # it lives as long as the namespace
            )
        finally:
            os.close(messages)
            os.close(ready)

    def _pasta(self, kind: mode.Mode) -> list[str]:
        interface = hostinfo.ipv6_interface()
        command = [kind.program, "--config-net", "-i", interface or "lo", "-I", WAY_OUT, "-M", _HARDWARE_ADDRESS]
        command += ["-a", pasta.ADDRESS, "-n", "24", "-g", pasta.GATEWAY]
        command += ["-a", pasta.ADDRESS_V6, "-g", pasta.GATEWAY_V6] if interface else ["-4"]
        command += ["--dns-forward", pasta.NAME_SERVER, "--quiet", *pasta.options_for_bridges(kind.options)]
        command += ["-t", "none", "-u", "none", "-T", "none", "-U", "none"]
        command += ["--runas", "0:0"] if self._rootful else []  # else it becomes nobody, who may not enter it
        return [*command, "--pid", os.path.join(self._directory, "pasta.pid"), "--netns", self._netns]

    def _slirp(self, kind: mode.Mode, ready: int) -> list[str]:
        from podpy.network.private import slirp

        command = [kind.program, "--configure", "--enable-sandbox", "--enable-seccomp"]
        command += slirp.options_for_bridges(kind.options)
        return [*command, f"--ready-fd={ready}", "--netns-type=path", self._netns, WAY_OUT]

    def _finish(self) -> None:
        """Wait for what `_start` has started."""
        try:
            if self._program == mode.SLIRP4NETNS and os.read(self._ready, 1):
                with open(os.path.join(self._directory, "slirp4netns.pid"), "w", encoding="utf-8") as file:
                    file.write(str(self._pid))
                return
            said, self._messages = process.read_all(self._messages), -1
            code = process.wait(self._pid)  # pasta's first process ends when it is ready
            if code or self._program == mode.SLIRP4NETNS:
                from podpy.network import doctor

                raise doctor.explain(self._program, code, said)
        finally:
            self._forget()

    def _forget(self) -> None:
        for descriptor in (self._ready, self._messages):
            if descriptor >= 0:
                os.close(descriptor)
        self._pid, self._ready, self._messages = 0, -1, -1
        self._release()

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
