"""systemd: D-Bus, scopes, notification."""
