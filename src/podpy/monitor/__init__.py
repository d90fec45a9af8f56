"""conmon: how it is started, its files, the command that it runs at the end.

    StartConmon(make_request), WaitForStart (start.py)   operations: posix_spawn, and later its start byte
    MonitorRequest, ExecRequest                          its command line: ours, or Debian's conmon
    files.read_exit_record(directory, id) -> ExitRecord or None; read_pidfile(path); is_monitor_of(pid, id)
    files.read_restart_note(run_directory) -> RestartNote or None   whether it waits to start the container again
    health.write, check_now, tell_changed …                        health checks
    exit_command.exit_command(paths, arguments, id, remove=)   what conmon calls if nobody waits

A start that fails raises what podpy.oci.failures makes of the runtime's words. The protocols: docs/conmon.md.
"""
