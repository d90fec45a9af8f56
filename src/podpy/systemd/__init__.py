"""systemd: D-Bus, scopes, notification.

    scope.move_in_background(paths, pid), ScopeMove   out of the login session's cgroup into podpy's own scope
    notify.tell_started(spec, pid, environ)         sd_notify(3): which process the unit's main one is
    boot.enable(paths, environ, program), missing   a unit that starts containers after a reboot
    dbus                                            the wire format, as far as the manager's calls need it

Best effort: where no user manager answers, nothing is done and nothing raised.
"""
