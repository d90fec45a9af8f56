"""config.json of the OCI runtime specification, built from a ContainerSpec; nothing here changes the host.

    build.build(spec, BundleContext) -> dict           the whole document; build.to_text(config, seccomp text)
    context.BundleContext, HostFacts                   results of earlier operations: user, files, cgroup …
    seccomp.chosen(spec, capabilities) -> Profile      the default profile with podpy's overlay (overlay.py)
    exec.build_exec_process(…) -> dict                 the `process` of an exec

One module per part: mounts, namespaces, devices, resources, env, paths, sysctls, ulimits. A limit that this host can't
enforce is a NotSupportedError. See docs/run.md.
"""
