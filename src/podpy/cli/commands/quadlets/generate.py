"""`podpy generate quadlet`: containers and pods that are there → files of Quadlet."""

from __future__ import annotations

import os
import sys

from podpy.cli.commands.quadlets.from_run import NEW, OF_NEW_PODS, said_of, text_of
from podpy.cli.engine import open_runtime
from podpy.errors import NoSuchContainerError, NoSuchPodError, UsageError
from podpy.quadlet import outgoing
from podpy.quadlet.writing import pod_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.libpod.runtime import Runtime


def run(options: Options) -> int:
    """Print one container's file, or all files as one; or write them and print their paths."""
    found: dict[str, str] = {}
    with open_runtime(options) as runtime:
        for name in options.names:
            found |= _files(name, runtime)
    if options.output_dir:
        for path in outgoing.write(found, options.output_dir, replace=options.replace):
            print(path)
    else:
        sys.stdout.write("".join(found.values()) if len(found) == 1 else outgoing.as_one(found))
    return 0


def _files(name: str, runtime: Runtime) -> dict[str, str]:
    """Return the files of a container, or of a pod with its containers. Raises NoSuchContainerError …"""
    try:
        facts = runtime.container(name).inspect()
    except NoSuchContainerError as error:
        try:
            pod = runtime.pods.get(name).inspect()
        except NoSuchPodError:
            raise error from None
        return _of_pod(pod, runtime)
    if facts.get("Pod"):
        hint = f"podpy generate quadlet {facts['Pod'][:12]} writes the pod's files"
        raise UsageError(f"{name} belongs to a pod, and needs its file", hint=hint)
    return {f"{facts['Name']}.container": text_of(_command(facts), os.getcwd())}


def _command(facts: dict[str, Any]) -> list[str]:
    words: list[str] = facts["Config"].get("CreateCommand") or []
    if len(words) < 2:
        raise UsageError(f"{facts['Name']}: no command line has made it", hint="The library or kube play did")
    return words[1:]


def _of_pod(pod: dict[str, Any], runtime: Runtime) -> dict[str, str]:
    name, words = pod["Name"], pod.get("CreateCommand") or []
    if len(words) < 2:
        hint = f"podpy kube generate {name}, and a file NAME.kube"
        raise UsageError(f"{name}: no command line has made this pod", hint=hint)
    if not pod["CreateInfra"]:
        raise UsageError(f"{name}: a pod without an infra container has no process that a unit could watch")
    options, said = said_of(words[1:])
    if options.path != "pod create" and options.pod.startswith(NEW):
        said = [option for option in said if option.name in OF_NEW_PODS]
    file = f"{name}.pod"
    found = {file: pod_file(said, name, directory=os.getcwd())}
    for member in pod.get("Containers", []):
        if member["Id"] != pod["InfraContainerID"]:
            found[f"{member['Name']}.container"] = _member(runtime.container(member["Id"]).inspect(), file)
    return found


def _member(facts: dict[str, Any], pod: str) -> str:
    words = _command(facts)
    options, _ = said_of(words)
    if options.given("init_ctr"):
        hint = "podpy kube generate, and a file NAME.kube"
        raise UsageError(f"{facts['Name']}: a unit runs no init containers", hint=hint)
    named = words if options.given("name") else [words[0], f"--name={facts['Name']}", *words[1:]]
    return text_of(named, os.getcwd(), pod=pod)
