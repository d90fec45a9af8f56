"""systemd: D-Bus, scopes, notification.

    scope.leave_session_in_background, ScopeMove    out of the login session's cgroup into podpy's own scope
    unit.keeps_containers, release_lasting          podpy as a unit's own process
    notify.tell_started(spec, pid, environ)         sd_notify(3): the unit's main process
    boot.enable(paths, environ, program), missing   a unit that starts containers after a reboot; linger
    timer.enable(paths, environ, update, prune)     a timer that updates containers
    systemctl                                       the manager that runs units: states, restart …
    generated.container_text, pod_text              the units of `podpy generate systemd`
    words.quoted, command_lines                     words of unit files
    dbus                                            the wire format, as far as the manager's calls need it

Best effort, but for systemctl: if no user manager answers, nothing is done, and no error is raised.
"""
