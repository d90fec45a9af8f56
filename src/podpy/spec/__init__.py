"""ContainerSpec: options' texts → values, and the defaults of containers.conf.

    ContainerSpec (container.py)                     every field typed; stored in the database as JSON, with a version
    AS_CONFIGURED                                    the value of a field that containers.conf decides
    defaults.with_defaults(spec, conf, environ, rootless=) -> spec   once, at `create`
    merge.merge(spec, image_config, base) -> spec    the image decides fields that no option has set
    userns.resolve(spec, own=(uid, gid lines), rootless=, taken=) -> spec   id maps
    volumes_from.resolve(spec, find) -> spec         --volumes-from
    capabilities, families, sysctls                  the kernel's names, and those that a container may have
    text/                                            one option's text → a value

Functions return a new spec; they never change the given one. No lower room reads containers.conf for a spec's field.
Nothing here prints, knows the command line, or asks the kernel. A wrong text raises UsageError in Podman's words; in
containers.conf it raises ConfigError, which names the key.
Sizes are bytes, times are seconds, ids are those inside the container unless a name says otherwise. See docs/run.md.
"""
