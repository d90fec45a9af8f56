#define _GNU_SOURCE
#include "out.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LABEL_WIDTH = 12 };

static struct {
	char bytes[16384];
	size_t used;
} buffer;

void out_bytes(const char *text, size_t length)
{
	size_t room = sizeof buffer.bytes - buffer.used;
	if (length > room)
		length = room;
	memcpy(buffer.bytes + buffer.used, text, length);
	buffer.used += length;
}

void out_text(const char *text)
{
	out_bytes(text, strlen(text));
}

void out_number(unsigned long long number)
{
	char digits[24];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	out_bytes(digits + at, sizeof digits - at);
}

void out_label(const char *label)
{
	static const char blanks[LABEL_WIDTH + 1] = "            ";
	size_t length = strlen(label);
	out_text("  ");
	out_text(label);
	out_text(length < LABEL_WIDTH ? blanks + length : " ");
}

bool out_flush(void)
{
	size_t done = 0;
	while (done < buffer.used) {
		ssize_t written = write(STDOUT_FILENO, buffer.bytes + done, buffer.used - done);
		if (written <= 0)
			return false;
		done += (size_t)written;
	}
	return true;
}

size_t slurp(const char *path, char *text, size_t size)
{
	size_t used = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t got;
		while (used < size - 1 && (got = read(fd, text + used, size - 1 - used)) > 0)
			used += (size_t)got;
		close(fd);
	}
	text[used] = '\0';
	return used;
}

bool line_value(const char *text, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);
	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *end = strchrnul(line, '\n');
		if (strncmp(line, key, length) == 0) {
			line += length;
			line += strspn(line, " \t");
			size_t rest = (size_t)(end - line);
			rest = rest < size ? rest : size - 1;
			memcpy(value, line, rest);
			value[rest] = '\0';
			return true;
		}
		line = *end == '\0' ? NULL : end + 1;
	}
	return false;
}
