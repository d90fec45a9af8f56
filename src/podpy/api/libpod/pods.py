"""Pods on Podman's paths."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.errors import HttpError
from podpy.api.libpod import answers
from podpy.api.libpod.creating import options_of
from podpy.errors import NoSuchPodError, PodPartsError
from podpy.go.view import pod_view
from podpy.libpod.pods.rows import as_report
from podpy.spec.container import AS_CONFIGURED, ContainerSpec
from podpy.spec.pod import EXIT_POLICIES, KINDS, SHARED, PodSpec
from podpy.spec.text.values import parse_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.api.call import Call
    from podpy.libpod.pods.pod import Pod

_OF_THE_POD = ("name", "hostname", "labels", "restart_policy", "restart_retries", "cgroup_parent", "resources",
               "shm_size")  # fmt: skip
_EVERYTHING = {"ipc", "net", "uts", "pid", "user", "cgroup"}


def create(call: Call) -> Answer:
    """Create a pod from a PodSpecGenerator."""
    body = call.json()
    given = options_of(body, rootless=call.runtime.paths.rootless)
    policy = body.get("exit_policy") or ""
    if policy and policy not in EXIT_POLICIES:
        raise HttpError(400, f"invalid exit policy {policy!r}: it must be one of {', '.join(EXIT_POLICIES)}")
    share = body.get("shared_namespaces")
    if share is not None and not _EVERYTHING.issuperset(share):
        raise HttpError(400, f"shared_namespaces must be of {', '.join(sorted(KINDS))}")
    of_pod = {name: given.pop(name) for name in _OF_THE_POD if name in given}
    spec = PodSpec(
        **of_pod,
        create_command=body.get("pod_create_command") or [],
        share=list(SHARED) if share is None else share,
        share_parent=body.get("share_parent") is not False,
        infra=not body.get("no_infra"),
        infra_name=body.get("infra_name") or "",
        infra_image=body.get("infra_image") or "",
        infra_command=body.get("infra_command") or [],
        infra_conmon_pidfile=body.get("infra_conmon_pid_file") or "",
        exit_policy=policy or AS_CONFIGURED,
        container=ContainerSpec(**given),
    )
    return Answer({"Id": call.runtime.pods.create(spec).id}, 201)


def listed(call: Call) -> Answer:
    """List pods: Podman's ListPodsReport."""
    return answers.go([as_report(line) for line in call.runtime.pods.lines(call.query["filters"], whole=True)])


def find(call: Call) -> Pod:
    """Return the pod that the path names. Raises NoSuchPodError in Podman's words."""
    name = call.path["name"]
    try:
        return call.runtime.pods.get(name)
    except NoSuchPodError as error:
        text = f"unable to find pod {name}: no pod with name or ID {name} found: no such pod"
        raise NoSuchPodError(text, hint=error.hint) from None


def inspect(call: Call) -> Answer:
    """Return everything about a pod."""
    return answers.go(pod_view(find(call).inspect()))


def exists(call: Call) -> Answer:
    """Say whether there is such a pod."""
    return answers.exists(call.runtime.pods.exists(call.path["name"]), "pod")


def _report(call: Call, work: Callable[[Pod], object]) -> Answer:
    """Do something to a pod; report errors of its containers, as Podman does, with status 409."""
    pod = find(call)
    try:
        work(pod)
    except PodPartsError as error:
        errors = answers.reasons([error, *error.parts])
        return Answer({"Errs": errors, "Id": pod.id, "RawInput": call.path["name"]}, 409)
    return Answer({"Errs": None, "Id": pod.id, "RawInput": call.path["name"]})


def start(call: Call) -> Answer:
    """Start a pod's containers."""
    return _report(call, lambda pod: pod.start())


def stop(call: Call) -> Answer:
    """Stop a pod's containers."""
    return _report(call, lambda pod: pod.stop(call.query["t"]))


def restart(call: Call) -> Answer:
    """Restart a pod's containers."""
    return _report(call, lambda pod: pod.restart())


def kill(call: Call) -> Answer:
    """Send a signal to the first process of each of a pod's containers."""
    number = parse_signal(call.query["signal"])
    return _report(call, lambda pod: pod.kill(number))


def pause(call: Call) -> Answer:
    """Freeze a pod's containers."""
    return _report(call, lambda pod: pod.pause())


def unpause(call: Call) -> Answer:
    """Let a pod's containers go on."""
    return _report(call, lambda pod: pod.unpause())


def remove(call: Call) -> Answer:
    """Remove a pod."""
    pod = find(call)
    ids = [each.id for each in pod.containers()]
    pod.remove(force=call.query["force"], timeout=call.query["timeout"])
    return Answer({"Err": None, "Id": pod.id, "RemovedCtrs": dict.fromkeys(ids)})


def prune(call: Call) -> Answer:
    """Remove the pods whose containers have ended."""
    done = call.runtime.pods.prune()
    failed = [{"Err": text, "Id": ""} for text in answers.reasons(done.errors)]
    return Answer([*({"Err": None, "Id": identifier} for identifier in done.removed), *failed])


def top(call: Call) -> Answer:
    """List the processes of a pod's containers."""
    titles, *rows = find(call).top([each for text in call.query["ps_args"] for each in text.split(",")])
    return Answer({"Processes": rows, "Titles": titles})


def stats(call: Call) -> Answer:
    """Tell what the containers of pods use."""
    sampler = call.runtime.pods.stats(call.query["namesOrIDs"])
    return Answer(
        [
            {
                "Pod": pod[:12],
                "CID": each.id[:12],
                "Name": each.name,
                "CPU": f"{each.cpu or 0:.2f}%",
                "MemUsage": f"{each.memory or 0}B / {each.memory_limit}B",
                "MemUsageBytes": f"{each.memory or 0}B / {each.memory_limit}B",
                "Mem": f"{each.memory_percent or 0:.2f}%",
                "NetIO": "-- / --",
                "BlockIO": f"{each.block_input or 0}B / {each.block_output or 0}B",
                "PIDS": str(each.pids or 0),
            }
            for pod, each in sampler.sample()
        ]
    )
