/* HTTP GET as the kubelet's probe does it (pkg/probe/http): one connection each, redirects followed on the same host,
   200 to 399 is well. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

#define REDIRECTS 10
#define HEAD_SIZE 32768 /* for an answer's status line and headers */
#define BODY_SIZE 10240
#define BODY_WAIT_MS 200 /* short, since the status has arrived */
#define URL_SIZE 8192
#define SCHEME "http://"

struct url {
    char text[URL_SIZE];
    struct place place;
    const char *path; /* in `text`: from the first slash on; may be empty */
};

struct reply {
    char text[HEAD_SIZE + BODY_SIZE + 1];
    size_t used;
    int status;
    char *body; /* in `text`; the headers end with a NUL before it */
};

static bool parse(struct url *url)
{
    const char *host = url->text + strlen(SCHEME);

    if (strncmp(url->text, SCHEME, strlen(SCHEME)) != 0)
        return false;
    url->text[strcspn(url->text, "#")] = '\0';
    const char *end = host + strcspn(host, "/?");
    url->path = end;
    if (place_read(&url->place, host, end))
        return true;
    char with_port[HOST_SIZE + 8]; /* a redirect may leave the port out */
    int n = snprintf(with_port, sizeof(with_port), "%.*s:80", (int)(end - host), host);
    return n < (int)sizeof(with_port) && place_read(&url->place, with_port, with_port + n);
}

static bool has_name(const char *header, const char *name)
{
    size_t size = strlen(name);

    return strncasecmp(header, name, size) == 0 && header[size] == ':';
}

static bool is_given(char **headers, const char *name)
{
    for (; *headers != NULL; headers++)
        if (has_name(*headers, name))
            return true;
    return false;
}

/* An empty User-Agent or Accept means that the header is omitted. */
static bool is_left_out(const char *header)
{
    const char *value = strchr(header, ':');

    return (has_name(header, "User-Agent") || has_name(header, "Accept")) && value[1 + strspn(value + 1, " ")] == '\0';
}

static bool send_request(int fd, const struct url *url, char **headers)
{
    const char *host = url->text + strlen(SCHEME);
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL)
        return false;
    fprintf(to, "GET %s%s HTTP/1.1\r\n", *url->path == '/' ? "" : "/", url->path);
    if (!is_given(headers, "Host"))
        fprintf(to, "Host: %.*s\r\n", (int)(url->path - host), host);
    if (!is_given(headers, "User-Agent"))
        fputs("User-Agent: kube-probe/podpy\r\n", to);
    if (!is_given(headers, "Accept"))
        fputs("Accept: */*\r\n", to);
    for (char **header = headers; *header != NULL; header++)
        if (!is_left_out(*header))
            fprintf(to, "%s\r\n", *header);
    fputs("Connection: close\r\n\r\n", to);
    bool done = fclose(to) == 0 && send_all(fd, text, size);
    free(text);
    return done;
}

/* Returns read()'s result; excess bytes stay unread. */
static ssize_t read_more(int fd, struct reply *reply, size_t most)
{
    ssize_t n;

    do
        n = read(fd, reply->text + reply->used, most - reply->used);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        reply->used += (size_t)n;
    reply->text[reply->used] = '\0';
    return n;
}

/* The position after the headers' empty line; NULL if it hasn't arrived. A NUL byte ends the text: it is never
   found behind one. */
static char *end_of_head(struct reply *reply)
{
    for (char *line = reply->text; (line = strchr(line, '\n')) != NULL;) {
        line++;
        if (*line == '\n')
            return line + 1;
        if (line[0] == '\r' && line[1] == '\n')
            return line + 2;
    }
    return NULL;
}

static bool read_status(struct reply *reply)
{
    const char *text = reply->text;

    if (strncmp(text, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)text[7]) || text[8] != ' ')
        return false;
    for (int i = 9; i < 12; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    reply->status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
    return !isdigit((unsigned char)text[12]);
}

/* Reads an answer's head; skips interim answers (1xx). */
static bool read_head(int fd, struct reply *reply, char *why, size_t size)
{
    reply->used = 0;
    reply->text[0] = '\0';
    for (;;) {
        char *end = end_of_head(reply);
        if (strchr(reply->text, '\n') != NULL && !read_status(reply))
            break;
        if (end != NULL && reply->status >= 200) {
            end[-1] = '\0';
            reply->body = end;
            return true;
        }
        if (end != NULL) {
            reply->used -= (size_t)(end - reply->text);
            memmove(reply->text, end, reply->used + 1);
            continue;
        }
        ssize_t n = reply->used < HEAD_SIZE ? read_more(fd, reply, HEAD_SIZE) : 0;
        if (n > 0)
            continue;
        if (n == 0 && reply->used > 0)
            break;
        snprintf(why, size, "%s", n == 0 ? "EOF" : reason(errno));
        return false;
    }
    size_t line = strcspn(reply->text, "\r\n");
    snprintf(why, size, "malformed HTTP response \"%.*s\"", (int)(line < 80 ? line : 80), reply->text);
    return false;
}

/* A header's value, up to the end of its line; NULL if the header is missing. */
static const char *header_of(const struct reply *reply, const char *name, size_t *size)
{
    for (const char *line = strchr(reply->text, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (!has_name(line, name))
            continue;
        line += strlen(name) + 1;
        line += strspn(line, " \t");
        *size = strcspn(line, "\r\n");
        while (*size > 0 && line[*size - 1] == ' ')
            --*size;
        return line;
    }
    return NULL;
}

static size_t body_size(const struct reply *reply)
{
    return reply->used - (size_t)(reply->body - reply->text);
}

/* Reads the part of the body that arrives soon; of a chunked one it keeps only the first chunk. */
static void read_body(int fd, struct reply *reply)
{
    size_t size, wanted = BODY_SIZE;
    const char *length = header_of(reply, "Content-Length", &size);
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    if (length != NULL && strtoul(length, NULL, 10) < wanted)
        wanted = strtoul(length, NULL, 10);
    size_t most = (size_t)(reply->body - reply->text) + wanted;
    while (body_size(reply) < wanted && poll(&ready, 1, BODY_WAIT_MS) > 0)
        if (read_more(fd, reply, most) <= 0)
            break;
    if (reply->used > most)
        reply->used = most;
    const char *coding = header_of(reply, "Transfer-Encoding", &size);
    if (coding == NULL || strncasecmp(coding, "chunked", 7) != 0)
        return;
    char *data = memchr(reply->body, '\n', body_size(reply));
    size_t chunk = strtoul(reply->body, NULL, 16);
    if (data == NULL)
        return;
    reply->body = data + 1;
    if (chunk < body_size(reply))
        reply->used = (size_t)(reply->body - reply->text) + chunk;
}

static bool is_redirect(int status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* Sets `url` to the redirect's target; false if that isn't a URL or is on another host, which ends the probe. */
static bool redirect(struct url *url, const struct reply *reply)
{
    struct url next;
    size_t size;
    const char *to = header_of(reply, "Location", &size);
    int origin = (int)(url->path - url->text), n;

    if (to == NULL || !is_redirect(reply->status))
        return false;
    if (size >= 2 && memcmp(to, "//", 2) == 0)
        n = snprintf(next.text, URL_SIZE, "http:%.*s", (int)size, to);
    else if (memchr(to, ':', strcspn(to, "/?#\r\n")) != NULL)
        n = snprintf(next.text, URL_SIZE, "%.*s", (int)size, to);
    else if (*to == '/')
        n = snprintf(next.text, URL_SIZE, "%.*s%.*s", origin, url->text, (int)size, to);
    else {
        size_t path = strcspn(url->path, "?");
        while (*to != '?' && path > 0 && url->path[path - 1] != '/')
            path--;
        n = snprintf(next.text, URL_SIZE, "%.*s%.*s%s%.*s", origin, url->text, (int)path, url->path,
                     path == 0 ? "/" : "", (int)size, to);
    }
    if (n >= URL_SIZE || !parse(&next) || strcmp(next.place.host, url->place.host) != 0)
        return false;
    *url = next;
    url->path = url->text + (next.path - next.text);
    return true;
}

static int tell(int fd, struct reply *reply)
{
    bool is_well = reply->status >= 200 && reply->status < 400;

    read_body(fd, reply);
    size_t size = body_size(reply);
    if (!is_well)
        printf("HTTP probe failed with statuscode: %d%s", reply->status, size > 0 ? "\n" : "");
    else if (reply->status >= 300)
        fputs("Probe terminated redirects, Response body: ", stdout);
    fwrite(reply->body, 1, size, stdout);
    return is_well ? WELL : ILL;
}

static bool get(int *fd, const struct addresses *addresses, const struct url *url, char **headers, struct reply *reply)
{
    char why[256];

    *fd = dial(addresses, url->place.port, why, sizeof(why));
    if (*fd >= 0 && send_request(*fd, url, headers)) {
        if (read_head(*fd, reply, why, sizeof(why)))
            return true;
    } else if (*fd >= 0) {
        snprintf(why, sizeof(why), "write: %s", reason(errno));
    }
    printf("Get \"%s\": %s\n", url->text, why);
    return false;
}

int probe_http(const struct addresses *addresses, char **words)
{
    static struct reply reply;
    static struct url url;
    int fd, n = snprintf(url.text, URL_SIZE, "%s", words[0]);

    if (n >= URL_SIZE || !parse(&url)) {
        printf("%s is no URL that can be asked\n", words[0]);
        return WRONG;
    }
    for (int i = 0; get(&fd, addresses, &url, words + 1, &reply); i++) {
        if (!redirect(&url, &reply))
            return tell(fd, &reply);
        close(fd);
        if (i == REDIRECTS - 1) {
            printf("Get \"%s\": stopped after %d redirects\n", url.text, REDIRECTS);
            return ILL;
        }
    }
    return ILL;
}
