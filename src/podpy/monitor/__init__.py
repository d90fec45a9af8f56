"""conmon: its start, its files, its exit command.

    StartConmon(make_request), WaitForStart (start.py)   operations: spawn conmon, then send its start byte
    MonitorRequest, ExecRequest                          the command line of podpy's conmon, or of another
    files.read_exit_record(directory, id) -> ExitRecord or None; read_pidfile(path); is_monitor_of(pid, id)
    files.read_restart_note(run_directory) -> RestartNote or None   whether it waits before a restart
    health.write, check_now, tell_changed …                        health checks
    exit_command.exit_command(paths, arguments, id, remove=)   the command that conmon runs if no call waits for it

A failed start raises the error that podpy.oci.failures makes from the runtime's message. The protocols: docs/conmon.md.
"""
