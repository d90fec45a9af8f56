"""The OCI runtime (crun, runc), and its input: config.json and the root filesystem.

OciRuntime.find(name, conf, paths, environ) (runtime.py)   crun, then runc; NotSupportedError if there is neither
    start, kill, delete, state, pause, resume, ps, exec_command, exec_attached: one method per verb
document/      config.json from a ContainerSpec
compiled       the seccomp filter that an older crun would compile at each start, kept and given back to it
root/          looks things up, and creates things, in the mounted root filesystem
failures.explain_runtime_error(message, runtime)   127 not found, 126 can't be run, 125 other errors
cgroups.path(spec, view, id)                       linux.cgroupsPath
versions, doctor                                   defects of old versions, for `system doctor` and `info`
"""
