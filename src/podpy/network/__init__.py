"""Network namespaces, pasta and slirp4netns, published ports, names.

    setup.plan(StartContext) -> NetworkPlan     operations (started early), wait_operations (late), netns_path, ports,
                                                texts of hosts and resolv.conf
    setup.teardown(directory) -> operations     safe to repeat
    mode.parse(text, conf) -> Mode              `--network`
    ports.wanted, ports.resolve                 published ports; InUseError names a taken port and its owner
    names.hosts, names.resolv_conf              pure: texts in, texts out
    private/                                    pasta and slirp4netns

Raises UsageError, InUseError, NetworkSetupError with a hint. See docs/networking.md.
"""
