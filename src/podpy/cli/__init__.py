"""Argv in, text out: parses, calls libpod, prints.

    main.main(argv) -> exit code     imports the one handler; turns errors into `Error: …`, `Hint: …` and an exit code
    declare/        the command line as data: commands, options, arguments, help
    parser/         the compiled table, its parser, rules, completion
    specgen/        the options of `run` and `create` → ContainerSpec
    commands/       handlers: `def run(options) -> int`: options → one call of libpod → print
    show/           rows, reports, progress, notices
    engine.open_runtime(options) -> Runtime

Options has one attribute per option, named by its long name (dashes are underscores), and one per argument. What wasn't
given has its default: False, "", 0, 0.0, []. `options.given("env")`: was it typed? `options.globals`: the global ones.
What the everyday commands import stands in tests/cli/import_budget.txt.
"""
