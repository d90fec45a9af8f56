"""The options of what is created: containers of `create` and `run`, and what `update`, pods and builds share."""
