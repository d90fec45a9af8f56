"""Images, manifest lists, artifacts and registries: the managers that the command line, the library and the API call.

    Images (manager.py)          runtime.images: pull, push, load, save, import_, list, tag, remove, prune, mount …
    ManifestLists (lists.py)     runtime.manifests: create, add, annotate, inspect, push, remove
    Artifacts (artifacts.py)     runtime.artifacts: add, extract, pull, push, remove
    Registries (registries.py)   runtime.registries: search, tags, logins, trust
    options.py                   their options: PullOptions, PushOptions, SaveOptions, ImportOptions, Access …
    transfer.py                  progress and warnings from a helper process, reported in the calling thread

Methods take names as users type them. `remove_several` and `unmount` yield one Removal for each name, with its error.
Raises NoSuchImageError, InUseError, ImageError, RegistryError, TrustError, NoSpaceError. Pulls, loads, pushes and saves
start threads; a library's run in a helper.
"""
