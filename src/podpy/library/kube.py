"""Kube: `runtime.kube`: Kubernetes YAML → pods, and back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.kube.options import PlayOptions
    from podpy.kube.play.down import Down
    from podpy.kube.play.play import Report
    from podpy.kube.reading.objects import Object
    from podpy.libpod.runtime import Runtime


class Kube:
    """Kubernetes YAML."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def play(self, *files: str, options: PlayOptions | None = None, configmaps: Sequence[str] = ()) -> Report:
        """Create and start what files (paths, addresses) describe. `configmaps`: files with ConfigMaps.

        The report names pods, volumes and secrets, and per pod why a container didn't start. Raises UsageError with
        a position in a file, and as `containers.create`; then nothing is left.
        """
        from podpy.kube.options import PlayOptions
        from podpy.kube.play.play import play

        objects, maps = self._objects(files), self._objects(configmaps)
        return play(self._runtime, objects, options or PlayOptions(), configmaps=maps)

    def down(self, *files: str, force: bool = False) -> Down:
        """Remove the pods and secrets of files; `force`: also their volumes. Raises UsageError."""
        from podpy.kube.play.down import down

        return down(self._runtime, self._objects(files), force=force)

    def generate(self, *names: str, kind: str = "pod", service: bool = False) -> str:
        """Return YAML of containers, pods and volumes. `kind`: pod, deployment, daemonset, job; `service`: one, too.

        Raises NotFoundError, UsageError.
        """
        from podpy.kube.generate.generate import generate
        from podpy.kube.generate.source import Options

        return generate(self._runtime, names, Options(kind=kind, for_service=service)).text()

    def _objects(self, files: Sequence[str]) -> Sequence[Object]:
        from podpy.kube.play.sources import sources
        from podpy.kube.reading.objects import read

        return read(sources(self._runtime, files), "ignore")[0] if files else []
