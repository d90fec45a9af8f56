"""What is looked up and made in the mounted root filesystem of a container."""
