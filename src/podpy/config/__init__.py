"""Paths and configuration files: containers.conf, registries.conf, storage.conf, policy.json, auth.json.

    Paths.find(root=None, runroot=None) (paths.py)   graphroot, runroot, ids, home, boot id; makes directories (0700)
    containers_conf.load(paths, modules=) -> ContainersConf   one attribute per key that podpy obeys; later.py: others
    registries.load(home=, rootless=) -> Registries  registries.conf; mirrors, aliases, short-name mode
    registries_d, policy, policy_edit                the location of signatures; policy.json, read strictly and changed
    auth.AuthFiles, credential_helpers               find, store, erase credentials
    mounts_conf, storage_conf                        mounts.conf; the path of Podman's own store
    Rewriting(path) (rewriting.py)                   a context with the file locked; `replace(data, mode)` is atomic

containers.conf and registries.conf are parsed once and cached as JSON in the run directory. A file that is wrong or
can't be read is a ConfigError that names the file and the key. Nothing here needs the user's namespaces.
"""
