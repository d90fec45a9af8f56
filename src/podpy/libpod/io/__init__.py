"""A container's streams: attach, exec, logs."""
