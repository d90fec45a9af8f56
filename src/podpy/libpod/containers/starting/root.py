"""Operations of a start in the root filesystem, before anything else is mounted in it."""

from __future__ import annotations

import os

from podpy.errors import CommandNotExecutableError
from podpy.oci.root import accounts, inside, users, workdir
from podpy.plan import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.context import StartContext

_MTAB, _MTAB_TARGET = "mtab", "/proc/mounts"


class RefuseLinks(Operation):
    """Refuse symbolic links where the OCI runtime mounts the kernel's file systems."""

    def __init__(self, context: StartContext) -> None:
        self._context = context

    def describe(self) -> str:
        """Return which paths."""
        return f"see that /dev, /proc and /sys in {self._context.rootfs} are no symbolic links"

    def execute(self) -> None:
        """Check. Raises ImageError, UsageError."""
        inside.refuse_links(self._context.spec, self._context.rootfs)


class LookUpUser(Operation):
    """Look up the container's user and groups in the passwd and group of the root filesystem."""

    def __init__(self, context: StartContext) -> None:
        self._context = context
        self.ids = users.UserIds()  # set by execute()

    @property
    def host_ids(self) -> tuple[int, int]:
        """The user's uid and gid in podpy's own user namespace."""
        return self._context.host_ids(self.ids.uid, self.ids.gid)

    def describe(self) -> str:
        """Return which user."""
        return f"look up the user {self._context.spec.user or 'root'}"

    def execute(self) -> None:
        """Look them up. Raises CommandNotExecutableError for an unknown or impossible id, and a forbidden root."""
        spec = self._context.spec
        user = accounts.as_numbers(spec, self._context.rootfs) if spec.host_users else spec.user
        self.ids = users.lookup(self._context.rootfs, user, spec.groups)
        if spec.not_root and not self.ids.uid:
            raise CommandNotExecutableError(
                "container has runAsNonRoot and image will run as root", hint="Give it a user: runAsUser: 1000"
            )
        if self.ids.uid or self.ids.gid:
            self._check_mapped()

    def _check_mapped(self) -> None:
        """Raise CommandNotExecutableError for an id that the container's user namespace hasn't got. The runtime's own
        words would be `setresuid: Invalid argument`.
        """
        from podpy.rootless import idmaps

        spec = self._context.spec
        if spec.userns and spec.userns.startswith(("container:", "ns:")) and not spec.uid_maps:
            return  # what is mapped there only its owner knows
        own = idmaps()
        users_map = [(line.container, line.size) for line in spec.uid_maps] or [(line[0], line[2]) for line in own[0]]
        groups_map = [(line.container, line.size) for line in spec.gid_maps] or [(line[0], line[2]) for line in own[1]]
        _check_map("user", self.ids.uid, users_map)
        _check_map("group", self.ids.gid, groups_map)


def _check_map(kind: str, number: int, lines: list[tuple[int, int]]) -> None:
    if not any(first <= number < first + size for first, size in lines):
        highest = max((first + size - 1 for first, size in lines), default=0)
        raise CommandNotExecutableError(
            f"{kind} id {number} isn't mapped in the container's user namespace",
            hint=f"Ids go up to {highest} there; more subordinate ids are lines of /etc/sub{kind[0]}id",
        )


class MakeWorkdir(Operation):
    """Create the working directory that the image names, for the container's user."""

    def __init__(self, context: StartContext, user: LookUpUser) -> None:
        self._context = context
        self._user = user

    def describe(self) -> str:
        """Return which directory."""
        return f"make the working directory {self._context.spec.workdir}, if it is missing"

    def execute(self) -> None:
        """Create it. Raises CommandNotExecutableError if it doesn't exist and may not be created."""
        context = self._context
        workdir.prepare(context.spec, context.rootfs, self._user.ids, context.container_id)


class AddAccounts(Operation):
    """Add lines for users that the image doesn't know to its passwd and group.

    Afterwards `texts` (path in the container → text) are the files to mount instead, and the user's home is known.
    """

    def __init__(self, context: StartContext, user: LookUpUser) -> None:
        self._context = context
        self._user = user
        self.texts: dict[str, str] = {}

    def describe(self) -> str:
        """Return which files."""
        return "add a line for the container's user to /etc/passwd and /etc/group, where they have none"

    def execute(self) -> None:
        """Add them. Raises OSError."""
        added = accounts.prepare(self._context.spec, self._context.rootfs, self._user.ids)
        self.texts = added.texts
        self._user.ids = self._user.ids.replace(home=added.home)


class LinkMtab(Operation):
    """Make /etc/mtab a link to /proc/mounts if the image has none: old versions of mount(8) and df(1) read it."""

    def __init__(self, context: StartContext) -> None:
        self._context = context

    @staticmethod
    def is_needed(context: StartContext) -> bool:
        """Return whether the container has a writable /etc of its own. A build's step needs none."""
        if context.spec.is_step:
            return False
        taken = {mount.target for mount in context.spec.mounts}
        return not (taken & {"/", "/etc", "/etc/mtab"} or (context.spec.rootfs and not context.spec.rootfs_overlay))

    def describe(self) -> str:
        """Return which link."""
        return f"link /etc/mtab to {_MTAB_TARGET}, if it is missing"

    def execute(self) -> None:
        """Make it, if the image's /etc allows that."""
        try:
            etc = inside.make_directories(self._context.rootfs, "/etc")
        except OSError:
            return
        try:
            os.symlink(_MTAB_TARGET, _MTAB, dir_fd=etc)
            os.chown(_MTAB, *self._context.host_ids(0, 0), dir_fd=etc, follow_symlinks=False)
        except FileExistsError:
            pass
        finally:
            os.close(etc)
