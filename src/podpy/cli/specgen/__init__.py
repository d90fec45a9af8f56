"""The options of `run` and `create` → ContainerSpec: one small parser per family of options. See docs/run.md."""
