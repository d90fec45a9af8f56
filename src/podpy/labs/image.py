"""The image of the labs' containers, made from this machine's own programs: no registry is needed.

A program is copied with the shared libraries that ldd(1) names, to the same places, in a tree whose /bin and /lib are
links into /usr as on Debian.
"""

from __future__ import annotations

import os
import shutil

from podpy import process
from podpy.process import SEARCH_PATH

NAME = "localhost/podpy-lab"
_PROGRAMS = (
    "sh", "cat", "ls", "id", "ps", "hostname", "sleep", "grep", "head", "tail", "wc", "ip", "uname", "stat", "touch",
    "rm", "mkdir", "capsh", "env", "dd", "chown", "sort", "readlink", "perl", "unshare", "mount", "date", "true",
)  # fmt: skip
_LINKS = ("bin", "sbin", "lib", "lib64")
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nlearner:x:1000:1000::/home/learner:/bin/sh\n",
    "group": "root:x:0:\nlearner:x:1000:\n",
    "nsswitch.conf": "hosts: files dns\n",
}
_SCRIPTS = {
    # Says hello to each caller: serve PORT
    "serve": r"""#!/usr/bin/perl
use IO::Socket::INET;
my $name = `uname -n`;
my $socket = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 8, ReuseAddr => 1) or die "$!\n";
while (my $caller = $socket->accept) { print $caller "hello " . $caller->peerhost . " from $name"; close $caller }
""",
    # Prints a server's line, for which it tries five seconds: ask HOST PORT
    "ask": r"""#!/usr/bin/perl
use IO::Socket::INET;
for (1 .. 50) {
    my $server = IO::Socket::INET->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1]);
    my $line = $server ? $server->getline : undef;
    if (defined $line) { print $line; exit 0 }
    select undef, undef, undef, 0.1;
}
print "no answer from $ARGV[0]\n";
exit 1;
""",
}
_DOCKERFILE = 'FROM scratch\nCOPY root /\nENV PATH=/usr/bin:/usr/sbin\nCMD ["/bin/sh"]\n'


def missing(programs: tuple[str, ...]) -> list[str]:
    """Return those programs that this machine hasn't."""
    return [name for name in programs if shutil.which(name, path=SEARCH_PATH) is None]


def write_context(directory: str) -> None:
    """Fill an empty directory with what `podpy build` makes the image of. Raises OSError."""
    root = os.path.join(directory, "root")
    for name in (*_LINKS, "etc", "tmp", "root", "home/learner"):
        os.makedirs(os.path.join(root, f"usr/{name}" if name in _LINKS else name))
    for name in _LINKS:
        os.symlink(f"usr/{name}", os.path.join(root, name))
    for name, text in _ETC.items():
        _write(os.path.join(root, "etc", name), text)
    _write(os.path.join(directory, "Dockerfile"), _DOCKERFILE)
    copied: set[str] = set()
    for name in _PROGRAMS:
        found = shutil.which(name, path=SEARCH_PATH)
        if found is not None:
            for path in (found, *_libraries(found)):
                _copy(path, root, copied)
    _copy_perl(root, copied)
    for name, text in _SCRIPTS.items():
        _write(os.path.join(root, "usr/bin", name), text)
        os.chmod(os.path.join(root, "usr/bin", name), 0o755)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _libraries(program: str) -> list[str]:
    """Return the paths of the shared libraries of a program, none of a static one."""
    said = process.run(["/usr/bin/ldd", program]).stdout.decode(errors="replace")
    words = [line.split("=>")[-1].split() for line in said.splitlines()]
    return [line[0] for line in words if line and line[0].startswith("/")]


def _copy(path: str, root: str, copied: set[str]) -> None:
    """Copy what stands at `path` to where it stands once links to directories are followed."""
    place = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    if place in copied:
        return
    copied.add(place)
    target = root + place
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy(path, target)


def _copy_perl(root: str, copied: set[str]) -> None:
    """Copy the modules that Debian's perl-base has: a server of a few words needs one of them."""
    for parent, _, files in os.walk("/usr/lib"):
        if "/perl-base/" in f"{parent}/":
            for name in files:
                path = os.path.join(parent, name)
                _copy(path, root, copied)
                if name.endswith(".so"):
                    for library in _libraries(path):
                        _copy(library, root, copied)
