"""Runtime: what `from podpy import Runtime` gives.

from podpy import Runtime

with Runtime() as runtime:
    print(runtime.containers.run("busybox", ["echo", "hi"], remove=True))
"""

from __future__ import annotations

from podpy.library.base import Base
from podpy.library.containers import Containers
from podpy.library.images import Images
from podpy.library.kube import Kube
from podpy.library.pods import Pods
from podpy.library.system import System

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.image.progress import Progress
    from podpy.image.registry.access import PullOptions
    from podpy.library.container import Container
    from podpy.spec.container import ContainerSpec


class Runtime(Base):
    """The engine: containers, images, pods, volumes, networks, secrets, events, builds, Kubernetes YAML, the system.

    One Runtime is for one thread. It is a context; it holds nothing that must be closed.
    """

    @property
    def containers(self) -> Containers:
        """The containers."""
        return Containers(self)

    @property
    def images(self) -> Images:
        """The images; `images.build` builds one."""
        return Images(self)

    @property
    def pods(self) -> Pods:
        """The pods."""
        return Pods(self)

    @property
    def kube(self) -> Kube:
        """Kubernetes YAML: play, down, generate."""
        return Kube(self)

    @property
    def system(self) -> System:
        """The engine and its host: info, version, df, prune, doctor, check."""
        return System(self)

    def create(
        self,
        spec: ContainerSpec,
        pull: PullOptions | None = None,
        *,
        replace: bool = False,
        progress: Callable[[], Progress] | None = None,
    ) -> Container:
        """Create a container that isn't started; see `Containers.create`."""
        return self.containers.create(spec, pull, replace=replace, progress=progress)

    def container(self, name_or_id: str) -> Container:
        """Return a container by name, id, or beginning of its id. Raises NoSuchContainerError, StateError."""
        return self.containers.get(name_or_id)

    def latest(self) -> Container:
        """Return the container that was created last. Raises NoSuchContainerError."""
        return self.containers.latest()
