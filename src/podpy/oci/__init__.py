"""The OCI runtime (crun, runc) and what it is given.

OciRuntime.find(name, conf, paths, environ) (runtime.py)   crun, then runc; NotSupportedError if there is neither
    start, kill, delete, state, pause, resume, ps, exec_command, exec_attached: one method per verb
document/      config.json from a ContainerSpec
root/          what is looked up and made in the mounted root filesystem
failures.explain_runtime_error(message, runtime)   127 not found, 126 can't be run, 125 all else
cgroups.path(spec, view, id)                       linux.cgroupsPath
versions, doctor                                   what old versions lack, for `system doctor` and `info`
"""
