"""What `podpy system doctor` checks, and the texts that say how to mend.

doctor.checks(paths, *more) -> [Check]    each with name, ok, cause, mend (a command), required
host_checks, user_checks, controllers     one function per check: paths → Check
mends.explain(operation, error) -> RootlessError   the errors of other commands, made of the same checks
"""
