"""What a container is asked to be: texts of options → values, and the defaults of containers.conf.

    ContainerSpec (container.py)                     every field typed; kept in the database as JSON, one version number
    AS_CONFIGURED                                    stands in a field that containers.conf decides
    defaults.with_defaults(spec, conf, environ, rootless=) -> spec   once, at `create`
    merge.merge(spec, image_config, base) -> spec    what the options left open is the image's to say
    userns.resolve(spec, own=(uid, gid lines), rootless=, taken=) -> spec   id maps
    volumes_from.resolve(spec, find) -> spec         --volumes-from
    capabilities, families, sysctls                  the kernel's names, and which of them a container may have
    text/                                            one option's text → a value

Functions return a new spec and change none. Nobody below asks containers.conf about a spec's field. Nothing
prints, knows of a command line, or asks the kernel. A text that makes no sense is a UsageError in Podman's words;
one of containers.conf is a ConfigError that names the key.
Sizes are bytes, times are seconds, ids are those inside the container unless a name says otherwise. See docs/run.md.
"""
