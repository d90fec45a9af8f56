/*
 * hello: the program of the embedded image. It prints what has just happened, with the values that it sees inside.
 *
 * Everything comes from the kernel (/proc, uname), except what only the engine knows: that is in Podman's file
 * /run/.containerenv (engine, name, id, image, and podpy's additions `conmon` and `conmon_pid`).
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "out.h"

enum { SMALL = 256, LARGE = 32768 };

static void unquoted(const char *text, const char *key, char *value, size_t size)
{
	if (!line_value(text, key, value, size)) {
		value[0] = '\0';
		return;
	}
	size_t length = strlen(value);
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
		memmove(value, value + 1, length - 2);
		value[length - 2] = '\0';
	}
}

static void tell_container(const char *environment)
{
	char id[SMALL], name[SMALL], image[SMALL], engine[SMALL];
	unquoted(environment, "id=", id, sizeof id);
	unquoted(environment, "name=", name, sizeof name);
	unquoted(environment, "image=", image, sizeof image);
	unquoted(environment, "engine=", engine, sizeof engine);
	if (id[0] == '\0')
		return;
	id[12] = '\0';
	out_label("container");
	out_text(id);
	if (name[0] != '\0') {
		out_text(", named ");
		out_text(name);
	}
	out_text("\n");
	if (image[0] != '\0') {
		out_label("image");
		out_text(image);
		out_text(", which is part of podpy: nothing was downloaded\n");
	}
	if (engine[0] != '\0') {
		out_label("engine");
		out_text(engine);
		out_text("\n");
	}
}

static void tell_process(void)
{
	out_label("process");
	out_text("pid ");
	out_number((unsigned long long)getpid());
	if (getppid() == 0)
		out_text(getpid() == 1 ? ", the first of its pid namespace; its parent is outside, where it can't look\n"
				       : ", its parent is outside of its pid namespace\n");
	else
		out_text(", in a pid namespace that it shares\n");
}

static void tell_conmon(const char *environment)
{
	char conmon[SMALL], pid[SMALL], link[SMALL];
	unquoted(environment, "conmon=", conmon, sizeof conmon);
	unquoted(environment, "conmon_pid=", pid, sizeof pid);
	ssize_t length = readlink("/proc/self/fd/1", link, sizeof link);
	out_label("conmon");
	if (pid[0] != '\0') {
		out_text("pid ");
		out_text(pid);
		out_text(" on the host, ");
	}
	out_text(conmon[0] != '\0' ? conmon : "outside");
	out_text("\n");
	out_label("");
	out_text("watches this process, and outlives podpy. ");
	if (length > 5 && strncmp(link, "pipe:", 5) == 0) {
		out_text("It reads these lines from ");
		out_bytes(link, (size_t)length);
	} else {
		out_text("It holds this terminal or file: ");
		out_bytes(link, length > 0 ? (size_t)length : 0);
	}
	out_text("\n");
}

/* One line of uid_map: first id inside, first id outside, number of ids. */
static const char *next_number(const char *text, unsigned long long *number)
{
	text += strspn(text, " \t\n");
	*number = 0;
	while (*text >= '0' && *text <= '9')
		*number = *number * 10 + (unsigned long long)(*text++ - '0');
	return text;
}

static void tell_range(const char *kind, unsigned long long first, unsigned long long count)
{
	out_text(kind);
	out_number(first);
	if (count > 1) {
		out_text("-");
		out_number(first + count - 1);
	}
}

static void tell_ids(const char *label, const char *path)
{
	enum { ALL_IDS = 4294967295U };
	char map[SMALL * 4];
	if (slurp(path, map, sizeof map) == 0)
		return;
	out_label(label);
	const char *at = map;
	for (bool first = true; *(at += strspn(at, " \t\n")) != '\0'; first = false) {
		unsigned long long inside, outside, count;
		at = next_number(next_number(next_number(at, &inside), &outside), &count);
		if (!first)
			out_text(", ");
		if (inside == 0 && outside == 0 && count == ALL_IDS) {
			out_text("the host's own: no user namespace lies between");
		} else {
			tell_range("", inside, count);
			tell_range(" here is ", outside, count);
			out_text(" outside");
		}
		if (*at != '\0' && *at != '\n')
			break;
	}
	out_text("\n");
}

/* The first namespaces of a boot have fixed numbers (linux/nsfs.h); mnt and net only since Linux 6.18. */
static bool is_hosts(const char *kind, const char *number)
{
	static const char *const firsts[][2] = {
		{ "user", "4026531837" },   { "uts", "4026531838" },  { "ipc", "4026531839" },
		{ "pid", "4026531836" },    { "cgroup", "4026531835" }, { "mnt", "4026531832" },
		{ "net", "4026531833" },
	};
	for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
		if (strcmp(kind, firsts[i][0]) == 0)
			return strncmp(number, firsts[i][1], strlen(firsts[i][1])) == 0;
	return false;
}

static void tell_namespaces(void)
{
	static const char *const kinds[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };
	out_label("namespaces");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		char path[64] = "/proc/self/ns/", link[SMALL];
		ssize_t length = readlink(strcat(path, kinds[i]), link, sizeof link - 1);
		if (length <= 0)
			continue;
		link[length] = '\0';
		const char *number = strchrnul(link, '[');
		number += *number == '[';
		out_text(i == 0 ? "" : i == 4 ? ",\n              " : ", ");
		out_text(kinds[i]);
		out_text(" ");
		out_bytes(number, strcspn(number, "]"));
		if (is_hosts(kinds[i], number))
			out_text(" (the host's)");
	}
	out_text("\n");
}

static void tell_cgroup(void)
{
	char text[LARGE], path[SMALL * 4];
	if (slurp("/proc/self/cgroup", text, sizeof text) == 0)
		return;
	out_label("cgroup");
	if (line_value(text, "0::", path, sizeof path))
		out_text(path);
	else
		out_bytes(text, strcspn(text, "\n"));
	if (strcmp(path, "/") == 0)
		out_text(", the top of what it sees");
	out_text("\n");
}

/*
 * Returns the line of mountinfo whose fifth field is "/", from that field on; NULL if there is none.
 * "36 35 98:0 /root /mountpoint options fields - type source superoptions" (proc(5))
 */
static char *root_mount(char *text)
{
	for (char *line = text; *line != '\0';) {
		char *end = strchrnul(line, '\n');
		char *field = line;
		for (int i = 0; i < 4 && field < end; i++)
			field = strchrnul(field, ' ') + 1;
		if (field + 1 < end && field[0] == '/' && field[1] == ' ') {
			*end = '\0';
			return field;
		}
		line = *end == '\0' ? end : end + 1;
	}
	return NULL;
}

static void tell_root(void)
{
	static char text[LARGE];
	slurp("/proc/self/mountinfo", text, sizeof text);
	char *line = root_mount(text);
	char *separator = line != NULL ? strstr(line, " - ") : NULL;
	if (separator == NULL)
		return;
	char *type = separator + 3;
	out_label("root");
	out_bytes(type, strcspn(type, " "));
	char *lower = strstr(type, "lowerdir");
	if (lower != NULL) {
		out_text(": ");
		out_bytes(lower, strcspn(lower, ", "));
	}
	out_text(strncmp(line, "/ ro", 4) == 0 ? ", read-only\n" : ", and what is written lies on top\n");
}

static unsigned bits(const char *hex)
{
	unsigned count = 0;
	for (; *hex != '\0'; hex++) {
		unsigned digit = (unsigned)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
		count += (unsigned)__builtin_popcount(digit & 15);
	}
	return count;
}

static void tell_confinement(void)
{
	char status[LARGE], value[SMALL];
	slurp("/proc/self/status", status, sizeof status);
	out_label("confined");
	if (line_value(status, "CapEff:", value, sizeof value)) {
		out_number(bits(value));
		out_text(" capabilities (");
		out_text(value);
		out_text(")");
	}
	if (line_value(status, "Seccomp:", value, sizeof value))
		out_text(value[0] == '2' ? ", system calls filtered by seccomp" : ", system calls not filtered");
	out_text("\n");
}

/* /proc/net/dev, not /sys/class/net: sysfs shows the network namespace of its mounter, which may be the host's. */
static void tell_network(void)
{
	char text[4096];
	if (slurp("/proc/net/dev", text, sizeof text) == 0)
		return;
	out_label("network");
	bool first = true;
	for (char *line = text; line != NULL && *line != '\0';) {
		char *end = strchr(line, '\n');
		char *colon = strchr(line, ':');
		if (colon != NULL && (end == NULL || colon < end)) {
			line += strspn(line, " ");
			out_text(first ? "" : ", ");
			out_bytes(line, (size_t)(colon - line));
			first = false;
		}
		line = end == NULL ? NULL : end + 1;
	}
	out_text("\n");
}

static void tell_host(void)
{
	struct utsname names;
	if (uname(&names) != 0)
		return;
	out_label("kernel");
	out_text(names.sysname);
	out_text(" ");
	out_text(names.release);
	out_text(" ");
	out_text(names.machine);
	out_text(", shared with the host; the host name in here is ");
	out_text(names.nodename);
	out_text("\n");
}

/* The engine adds the monitor's pid while the container is being started; rarely, that is a little later than this. */
static void read_environment(char *text, size_t size)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	char value[SMALL];
	for (int i = 0; i < 200; i++) {
		slurp("/run/.containerenv", text, size);
		if (!line_value(text, "conmon=", value, sizeof value) ||
		    line_value(text, "conmon_pid=", value, sizeof value))
			break;
		nanosleep(&moment, NULL);
	}
}

int main(void)
{
	char environment[LARGE];
	read_environment(environment, sizeof environment);
	out_text("\nHello from a container. podpy started it, no daemon took part. Seen from inside:\n\n");
	tell_container(environment);
	tell_process();
	tell_conmon(environment);
	tell_ids("users", "/proc/self/uid_map");
	tell_ids("groups", "/proc/self/gid_map");
	tell_namespaces();
	tell_cgroup();
	tell_root();
	tell_confinement();
	tell_network();
	tell_host();
	out_text("\nWhat next:\n"
		 "  podpy run -it --rm docker.io/library/debian     a shell in another distribution\n"
		 "  podpy ps -a                                     what runs, and what ran\n"
		 "  podpy system doctor                             what this host lets you do\n\n");
	return out_flush() ? 0 : 1;
}
