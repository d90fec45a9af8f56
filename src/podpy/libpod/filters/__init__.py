"""--filter: the keys of containers and images."""
