"""systemd: D-Bus, scopes, notification.

    scope.move_in_background(paths, pid), ScopeMove   out of the login session's cgroup into podpy's own scope
    notify.tell_started(spec, pid, environ)         sd_notify(3): the unit's main process
    boot.enable(paths, environ, program), missing   a unit that starts containers after a reboot
    dbus                                            the wire format, as far as the manager's calls need it

Best effort: if no user manager answers, nothing is done, and no error is raised.
"""
