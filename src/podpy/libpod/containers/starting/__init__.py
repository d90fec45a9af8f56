"""How a container starts: create, the plan of a start, its files and mounts."""
