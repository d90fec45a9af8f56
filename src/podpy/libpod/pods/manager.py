"""Pods: the methods that the command line, the library and the API call.

with Runtime() as runtime:
    pod = runtime.pods.create(PodSpec(name="shop"))
    runtime.create(ContainerSpec(image="hello", pod=pod.id))
    pod.start()
"""

from __future__ import annotations

from podpy.errors import NoSuchPodError, PodpyError
from podpy.libpod.containers.manager import failure
from podpy.libpod.pods.pod import Pod, parts_error
from podpy.libpod.pods.table import PodTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from podpy.image.registry.access import PullOptions
    from podpy.libpod.containers.container import Container
    from podpy.libpod.engine import Engine
    from podpy.libpod.pods.observe import PodSampler
    from podpy.libpod.pods.table import PodLine
    from podpy.libpod.system.prune import Pruned
    from podpy.spec.pod import PodSpec

    Chosen = tuple[str, Pod | PodpyError]
    Outcomes = Iterator[tuple[str, str, PodpyError | None]]
    Found = Sequence[Pod]


class Pods:
    """The pods of one store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name: str) -> Pod:
        """Return a pod by name, id, or beginning of its id. Raises NoSuchPodError, AmbiguousNameError."""
        return Pod(self._engine, PodTable(self._engine.database).find(name))

    def exists(self, name: str) -> bool:
        """Return whether there is a pod of this name. Raises AmbiguousNameError."""
        try:
            self.get(name)
        except NoSuchPodError:
            return False
        return True

    def latest(self) -> Pod:
        """Return the pod that was created last. Raises NoSuchPodError."""
        found = PodTable(self._engine.database).all()
        if not found:
            raise NoSuchPodError("there is no pod: no such pod", hint="podpy pod create makes one")
        return Pod(self._engine, found[-1])

    def create(
        self, spec: PodSpec, pull: PullOptions | None = None, *, replace: bool = False, part_of: str = ""
    ) -> Pod:
        """Create a pod without starting it. `replace`: first remove a pod with its name; `pull`: how to find the image
        of the infra container, if it has one; `part_of`: the id of an Unfinished, which it belongs to.

        Raises UsageError, InUseError, NoSuchImageError.
        """
        from podpy.libpod.pods.create import create
        from podpy.libpod.system.repair import repair_if_needed

        engine = self._engine
        with engine.noticing():
            repair_if_needed(engine)
            if replace and spec.name and self.exists(spec.name):
                self.get(spec.name).remove(force=True)
            return Pod(engine, create(engine, spec, pull, part_of=part_of))

    def create_service(self, name: str, exit_code: str, *, part_of: str = "") -> Container:
        """Create the service container of pods that are going to have its id as PodSpec.service, in place of one of its
        name. It isn't started. `exit_code`: one of spec.pod.EXIT_CODES; `part_of` as for `create`. Raises InUseError.
        """
        from podpy.libpod.containers.container import Container
        from podpy.libpod.pods.create import create_service

        with self._engine.noticing():
            return Container(self._engine, create_service(self._engine, name, exit_code, part_of=part_of).row)

    def start_service(self, container: Container) -> None:
        """Start the service container of pods that were started; it ends at once if they have ended."""
        from podpy.libpod.pods.service import end_if_over

        container.start()
        end_if_over(self._engine, container.id)

    def clone(self, pod: Pod, spec: PodSpec, *, destroy: bool = False) -> Pod:
        """Create a pod from `spec`, with copies of a pod's containers; `destroy` removes the original.

        Without a name in `spec`, the name is the original's and -clone. Raises as `create`, and as Pod.remove.
        """
        from podpy.libpod.pods.clone import clone
        from podpy.libpod.system.repair import repair_if_needed

        engine = self._engine
        with engine.noticing():
            repair_if_needed(engine)
            made = Pod(engine, clone(engine, pod, spec))
        if destroy:
            pod.remove(force=True)
        return made

    def stats(self, names: Sequence[str] = ()) -> PodSampler:
        """Return a sampler of the running containers of the named pods, or of all. Raises NoSuchPodError."""
        from podpy.libpod.pods.observe import PodSampler

        return PodSampler(self._engine, [self.get(name) for name in names] if names else self.list())

    def list(self, filters: Sequence[str] = ()) -> Found:
        """Return the pods that match every filter (podman-pod-ps(1)), oldest first. Raises UsageError."""
        return [Pod(self._engine, line.row) for line in self.lines(filters)]

    def lines(self, filters: Sequence[str] = (), *, whole: bool = False) -> Sequence[PodLine]:
        """Return the data of `pod ps` for each pod that matches every filter, oldest first; `whole`: all fields.

        Raises UsageError.
        """
        from podpy.libpod.pods.rows import lines

        if self._engine.is_unfinished:
            from podpy.libpod.system.unfinished import undo_if_killed

            undo_if_killed(self._engine)
        return lines(self._engine, filters, whole=whole)

    def select(
        self, names: Sequence[str] = (), *, every: bool = False, latest: bool = False, states: Sequence[str] = ()
    ) -> Iterator[Chosen]:
        """Yield a pair for each pod that a command acts on: the name that chose it, and the pod or error.

        With `every`: all pods in one of `states` (empty: any).
        """
        if latest:
            newest = self._or_error(self.latest)
            yield newest.id if isinstance(newest, Pod) else "", newest
        elif every:
            for line in self.lines():
                if not states or line.state in states:
                    yield line.row.id, Pod(self._engine, line.row)
        else:
            for name in names:
                yield name, self._or_error(lambda name=name: self.get(name))  # type: ignore[misc]

    def _or_error(self, find: Callable[[], Pod]) -> Pod | PodpyError:
        try:
            return find()
        except PodpyError as error:
            return error

    def each(self, chosen: Iterable[Chosen], work: Callable[[Pod], object]) -> Outcomes:
        """Call `work` with each pod; yield the name that chose it, its id, and the error or None."""
        for shown, found in chosen:
            if isinstance(found, Pod):
                yield shown, found.id, failure(work, found)
            else:
                yield shown, shown, found

    def stop_several(self, chosen: Iterable[Chosen], timeout: int | None = None, *, thaw: bool = False) -> Outcomes:
        """Stop pods together; yield as `each`, when all have ended. `timeout` and errors: as Pod.stop.

        `thaw`: unpause paused containers first.
        """
        from podpy.libpod.pods.stop import stop_several
        from podpy.libpod.system.repair import repair_if_needed

        repair_if_needed(self._engine)
        together = [*chosen]
        pods = [found for _, found in together if isinstance(found, Pod)]
        errors = self._engine.privileged(lambda: stop_several(pods, timeout, thaw=thaw)) if pods else {}
        for shown, found in together:
            if not isinstance(found, Pod):
                yield shown, shown, found
                continue
            failed = errors[found.id]
            if isinstance(failed, dict):
                yield shown, found.id, parts_error(found, failed, "stopped") if failed else None
            else:
                yield shown, found.id, failed

    def remove_several(self, chosen: Iterable[Chosen], *, force: bool = False, timeout: int | None = None) -> Outcomes:
        """Remove pods one after the other; with `force`, they are stopped together before. As `each` and Pod.remove."""
        together = [*chosen]
        if force and len(together) > 1:
            for _outcome in self.stop_several(together, timeout, thaw=True):
                pass  # what couldn't be stopped is told by its removal
        return self.each(together, lambda pod: pod.remove(force=force, timeout=timeout))

    def prune(self, *, dry_run: bool = False) -> Pruned:
        """Remove the pods whose containers have ended."""
        from podpy.libpod.system.prune import Pruned

        stopped = self.select(every=True, states=("Exited", "Stopped"))
        done = [*self.each(stopped, (lambda pod: None) if dry_run else (lambda pod: pod.remove()))]
        removed = [identifier for _, identifier, error in done if error is None]
        return Pruned(removed=removed, errors=[error for _, _, error in done if error is not None])
