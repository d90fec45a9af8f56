"""What the tests share: users, the built podpy, images, a registry, waiting for events, the rule about skips."""
