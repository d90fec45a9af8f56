/*
 * podpy, as installed in an environment's bin directory: starts `python3 -I -S .../podpy/_start.py ARGUMENTS`.
 *
 * A Python script can't do it: installers rewrite its first line and drop the two flags. A shell script costs the start
 * of a shell. This program is static and takes a third of a millisecond.
 *
 *   PREFIX/bin/podpy (this)   PREFIX/bin/python3   PREFIX/lib{,64}/python3.N/{site,dist}-packages/podpy/_start.py
 *
 * There may be byte code beside _start.py (podpy/pack/), which saves compiling it at each start. Byte code is for one
 * minor version, so it is run only by an interpreter that is called python3.N.
 *
 * A link to it (/usr/local/bin/podpy) works: /proc/self/exe names the file itself. Python is told by which word it was
 * called. In a checkout it stands in src/podpy/_bin, and setup.py gives it PODPY_PYTHON and PODPY_SITE.
 *
 * Made with PODPY_GENERATOR it is podpy-system-generator, which systemd runs (podpy.cli.generator).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_PODPY_FAILED = 125, OWN_ARGUMENTS = 12 };

struct start {
	char python[PATH_MAX];
	char script[PATH_MAX];
};

static bool join(char out[PATH_MAX], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(out, PATH_MAX, format, arguments);
	va_end(arguments);
	return length > 0 && length < PATH_MAX;
}

static int fail(const char *what, const char *why, const char *hint)
{
	fprintf(stderr, "Error: %s: %s\nHint: %s\n", what, why, hint);
	return EXIT_PODPY_FAILED;
}

/* Truncates `path` at its last slash: PREFIX/bin/podpy becomes PREFIX/bin. */
static bool cut(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

/* PREFIX. */
static bool own_prefix(char out[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 1);
	if (length <= 0)
		return false;
	out[length] = '\0';
	return cut(out) && cut(out);
}

/* The byte code of _start.py for `version` (python3.N), with an interpreter of that name in the environment. */
static bool choose_byte_code(struct start *start, const char *prefix, const char *package, const char *version)
{
	const char *minor = version + sizeof "python3." - 1;
	char script[PATH_MAX];
	if (!join(script, "%s/_start.cpython-3%s.pyc", package, minor) || access(script, R_OK) != 0)
		return false;
	if (!join(start->python, "%s/bin/%s", prefix, version) || access(start->python, X_OK) != 0)
		return false;
	return join(start->script, "%s", script);
}

/* Finds the Python for the package in `lib/python3.N`: the environment's, or the system's 3.N. */
static bool choose_python(struct start *start, const char *prefix, const char *version)
{
	if (join(start->python, "%s/bin/python3", prefix) && access(start->python, X_OK) == 0)
		return true;
	return join(start->python, "/usr/bin/%s", version) && access(start->python, X_OK) == 0;
}

static bool look_in_version(struct start *start, const char *prefix, const char *lib, const char *version)
{
	static const char *const kinds[] = { "site-packages", "dist-packages" };
	char package[PATH_MAX];
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (join(package, "%s/%s/%s/%s/podpy", prefix, lib, version, kinds[i]) &&
		    join(start->script, "%s/_start.py", package) && access(start->script, R_OK) == 0)
			return choose_byte_code(start, prefix, package, version) ||
			       choose_python(start, prefix, version);
	return false;
}

static bool look_in_lib(struct start *start, const char *prefix, const char *lib)
{
	char path[PATH_MAX];
	if (!join(path, "%s/%s", prefix, lib))
		return false;
	DIR *directory = opendir(path);
	if (directory == NULL)
		return false;
	bool found = false;
	struct dirent *entry;
	while (!found && (entry = readdir(directory)) != NULL)
		if (strncmp(entry->d_name, "python3.", 8) == 0)
			found = look_in_version(start, prefix, lib, entry->d_name);
	closedir(directory);
	return found;
}

#ifdef PODPY_PYTHON
/* In a checkout, `prefix` is src/podpy. */
static bool look_in_checkout(struct start *start, const char *prefix)
{
	return join(start->script, "%s/_start.py", prefix) && join(start->python, "%s", PODPY_PYTHON) &&
	       access(start->script, R_OK) == 0;
}
#endif

static bool find(struct start *start, const char *prefix)
{
#ifdef PODPY_PYTHON
	if (look_in_checkout(start, prefix))
		return true;
#endif
	return look_in_lib(start, prefix, "lib") || look_in_lib(start, prefix, "lib64");
}

/* Opens /dev/null for closed standard streams, as Go does. Otherwise the next opened file would get such a number.
 * Returns whether standard output was closed. */
static bool fill_standard_streams(void)
{
	bool was_closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			break;
	return was_closed;
}

#ifndef PODPY_GENERATOR
/* Whether this is a word of these options, one or more of -f, -i … together; notes -i. */
static bool only_letters(const char *word, const char *letters, bool *ignore)
{
	if (word[0] != '-' || word[1] == '\0' || strspn(word + 1, letters) != strlen(word + 1))
		return false;
	*ignore = *ignore || strchr(word, 'i') != NULL;
	return true;
}

/* Whether the call is `podpy rm -f -v -i --cidfile=FILE` (`podpy pod rm … --pod-id-file=FILE`) of a container that is
 * gone with its file: then there is nothing to do. Quadlet's units make that call after each stop, when their first one
 * (ExecStop=) has done the work; an interpreter would take 35 ms to find that out. */
static bool is_done(int argc, char *argv[])
{
	bool pod = argc > 1 && strcmp(argv[1], "pod") == 0, ignore = false;
	const char *option = pod ? "--pod-id-file=" : "--cidfile=";
	int i = pod ? 2 : 1, files = 0;
	if (i >= argc || strcmp(argv[i++], "rm") != 0)
		return false;
	for (; i < argc; i++) {
		const char *word = argv[i];
		if (strncmp(word, option, strlen(option)) == 0 && word[strlen(option)] != '\0') {
			if (access(word + strlen(option), F_OK) == 0 || errno != ENOENT)
				return false;
			files++;
		} else if (strcmp(word, "--ignore") == 0) {
			ignore = true;
		} else if (strcmp(word, "--force") != 0 && (pod || strcmp(word, "--volumes") != 0) &&
			   !only_letters(word, pod ? "fi" : "vfi", &ignore)) {
			return false;
		}
	}
	return ignore && files > 0;
}
#endif

int main(int argc, char *argv[])
{
#ifndef PODPY_GENERATOR
	if (is_done(argc, argv))
		return 0;
#endif
	bool no_output = fill_standard_streams();
	char prefix[PATH_MAX];
	struct start start;
	if (!own_prefix(prefix))
		return fail("can't find its own place", "/proc isn't mounted", "Mount it: mount -t proc proc /proc");
	if (!find(&start, prefix))
		return fail("can't find its Python package", prefix, "Install podpy again: pip install podpy");
	char **command = calloc((size_t)argc + OWN_ARGUMENTS + 1, sizeof *command);
	if (command == NULL)
		return fail("can't start", "no memory", "Free some");
	int n = 0;
	command[n++] = start.python;
	command[n++] = "-I";
	command[n++] = "-S";
#ifdef PODPY_GENERATOR
	command[n++] = "-X";
	command[n++] = "podpy_generator";
#endif
#ifdef PODPY_SITE
	command[n++] = "-X";
	command[n++] = "podpy_site=" PODPY_SITE;
#endif
	/* podpy.cli.called. argv[0] can't tell it: from that Python finds its environment. */
	char called[PATH_MAX];
	if (argc > 0 && join(called, "podpy_called=%s", argv[0])) {
		command[n++] = "-X";
		command[n++] = called;
	}
	if (no_output) { /* podpy.cli.streams, require_output */
		command[n++] = "-X";
		command[n++] = "podpy_closed";
	}
	command[n++] = start.script;
	for (int i = 1; i < argc; i++)
		command[n++] = argv[i];
	execv(start.python, command);
	return fail(start.python, strerror(errno), "Install podpy again: pip install podpy");
}
