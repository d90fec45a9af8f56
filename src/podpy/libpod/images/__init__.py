"""Images, manifest lists, artifacts and registries: what the command line, the library and the API call."""
