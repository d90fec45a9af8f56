"""Network namespaces, pasta and slirp4netns, published ports, names."""
