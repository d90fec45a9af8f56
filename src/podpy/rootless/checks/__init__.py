"""The checks of `podpy system doctor`, and the commands that help.

doctor.checks(paths, *more) -> [Check]    each with name, ok, cause, mend (a command), required
host_checks, user_checks, controllers     one function per check: paths → Check
mends.explain(operation, error) -> RootlessError   other commands' errors, made from the same checks
"""
