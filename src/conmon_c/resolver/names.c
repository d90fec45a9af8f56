#define _GNU_SOURCE
#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERNAL_SUFFIX "%int"
enum { MOST_TEXT = 4 << 20, MOST_PER_ENTRY = 1024, FIRST_ROOM = 64 };

/* An array that grows while the files are read. */
struct list {
    void *items;
    size_t count, room;
};

/* Which records hash to the same bucket: `next` goes on from record to record, -1 ends. */
struct index {
    int *buckets;
    size_t mask;
};

struct network {
    bool internal;
    struct address servers[MOST_SERVERS];
    size_t server_count;
};

struct entry { /* a container on a network */
    int network;
    const char *id;
    int next_of_id;
    size_t first_label, labels;
    struct address servers[MOST_SERVERS];
    size_t server_count;
};

struct place { /* an address of a container, or of a listener (then `owner` is a network) */
    struct address address;
    int owner;
    int next;
};

struct label { /* a name of a container */
    const char *text;
    int entry;
    int next;
};

struct names {
    struct list texts, networks, listeners, entries, places, labels;
    struct index by_id, by_address, by_label;
};

/* A new record at the end, all zero; NULL without memory. */
static void *list_add(struct list *list, size_t size)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : FIRST_ROOM;
        void *items = reallocarray(list->items, room, size);
        if (items == NULL)
            return NULL;
        list->items = items;
        list->room = room;
    }
    return memset((char *)list->items + size * list->count++, 0, size);
}

static uint32_t text_hash(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash;
}

static bool index_make(struct index *index, size_t records)
{
    size_t room = 16;

    while (room < 2 * records)
        room *= 2;
    index->buckets = malloc(room * sizeof *index->buckets);
    if (index->buckets == NULL)
        return false;
    memset(index->buckets, 0xff, room * sizeof *index->buckets);
    index->mask = room - 1;
    return true;
}

static void index_put(struct index *index, uint32_t hash, int record, int *next)
{
    int *bucket = &index->buckets[hash & index->mask];

    *next = *bucket;
    *bucket = record;
}

static int index_first(const struct index *index, uint32_t hash)
{
    return index->buckets == NULL ? -1 : index->buckets[hash & index->mask];
}

#define NETWORK(names, at) ((struct network *)(names)->networks.items + (at))
#define ENTRY(names, at) ((struct entry *)(names)->entries.items + (at))
#define PLACE(names, at) ((struct place *)(names)->places.items + (at))
#define LABEL(names, at) ((struct label *)(names)->labels.items + (at))

/* Cuts the next field of a line, or the next item of a field. */
static char *cut(char **rest, char separator)
{
    char *start = *rest;
    char *end;

    if (start == NULL)
        return NULL;
    end = strchr(start, separator);
    *rest = end ? end + 1 : NULL;
    if (end != NULL)
        *end = '\0';
    return start;
}

static size_t read_servers(char *field, struct address *servers)
{
    size_t count = 0;
    char *item;

    while (count < MOST_SERVERS && (item = cut(&field, ',')) != NULL)
        if (address_parse(item, &servers[count]))
            count++;
    return count;
}

static bool read_places(struct list *list, char *field, int owner)
{
    struct address address;
    char *item;

    for (size_t i = 0; i < MOST_PER_ENTRY && (item = cut(&field, ',')) != NULL; i++) {
        if (!address_parse(item, &address))
            continue;
        struct place *place = list_add(list, sizeof *place);
        if (place == NULL)
            return false;
        place->address = address;
        place->owner = owner;
    }
    return true;
}

static bool read_labels(struct names *names, char *field, struct entry *entry, int at)
{
    char *item;

    entry->first_label = names->labels.count;
    for (size_t i = 0; i < MOST_PER_ENTRY && (item = cut(&field, ',')) != NULL; i++) {
        if (*item == '\0' || strlen(item) > 253)
            continue;
        struct label *label = list_add(&names->labels, sizeof *label);
        if (label == NULL)
            return false;
        for (char *c = item; *c != '\0'; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c + 32);
        label->text = item;
        label->entry = at;
        entry->labels++;
    }
    return true;
}

static bool read_entry(struct names *names, char *line, int network)
{
    char *id = cut(&line, ' ');
    char *v4 = cut(&line, ' ');
    char *v6 = cut(&line, ' ');
    char *labels = cut(&line, ' ');
    int at = (int)names->entries.count;
    struct entry *entry;

    if (labels == NULL || *id == '\0')
        return true;
    entry = list_add(&names->entries, sizeof *entry);
    if (entry == NULL)
        return false;
    entry->network = network;
    entry->id = id;
    entry->server_count = read_servers(cut(&line, ' '), entry->servers);
    return read_places(&names->places, v4, at) && read_places(&names->places, v6, at)
           && read_labels(names, labels, entry, at);
}

static bool read_network(struct names *names, char *text, bool internal)
{
    char *line = cut(&text, '\n');
    int at = (int)names->networks.count;
    struct network *network = list_add(&names->networks, sizeof *network);

    if (network == NULL || !read_places(&names->listeners, cut(&line, ' '), at))
        return false;
    network->internal = internal;
    network->server_count = read_servers(cut(&line, ' '), network->servers);
    while ((line = cut(&text, '\n')) != NULL)
        if (!read_entry(names, line, at))
            return false;
    return true;
}

/* The whole text of a file (free() it); NULL if it can't be read, and then errno may be ENOMEM. */
static char *read_text(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    char *text = NULL;
    size_t size = 0;
    ssize_t got = 1;

    errno = 0;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= MOST_TEXT)
        text = malloc((size_t)status.st_size + 1);
    while (text != NULL && size < (size_t)status.st_size && got > 0) {
        got = read(fd, text + size, (size_t)status.st_size - size);
        size += got > 0 ? (size_t)got : 0;
    }
    if (text != NULL)
        text[size] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static bool read_file(struct names *names, int directory, const char *name)
{
    size_t length = strlen(name), suffix = strlen(INTERNAL_SUFFIX);
    bool internal = length > suffix && strcmp(name + length - suffix, INTERNAL_SUFFIX) == 0;
    char *text = read_text(directory, name);

    if (text == NULL)
        return errno != ENOMEM;
    char **kept = list_add(&names->texts, sizeof *kept);
    if (kept == NULL) {
        free(text);
        return false;
    }
    *kept = text;
    return read_network(names, text, internal);
}

static bool make_indexes(struct names *names)
{
    if (!index_make(&names->by_id, names->entries.count) || !index_make(&names->by_address, names->places.count)
        || !index_make(&names->by_label, names->labels.count))
        return false;
    for (int i = 0; i < (int)names->entries.count; i++)
        index_put(&names->by_id, text_hash(ENTRY(names, i)->id), i, &ENTRY(names, i)->next_of_id);
    for (int i = 0; i < (int)names->places.count; i++)
        index_put(&names->by_address, address_hash(&PLACE(names, i)->address), i, &PLACE(names, i)->next);
    for (int i = 0; i < (int)names->labels.count; i++)
        index_put(&names->by_label, text_hash(LABEL(names, i)->text), i, &LABEL(names, i)->next);
    return true;
}

struct names *names_load(int directory)
{
    struct names *names = calloc(1, sizeof *names);
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a place in the listing of its own */
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *item;
    bool good = names != NULL;

    while (good && listing != NULL && (item = readdir(listing)) != NULL)
        if (item->d_name[0] != '.' && strcmp(item->d_name, "aardvark.pid") != 0)
            good = read_file(names, directory, item->d_name);
    if (listing != NULL)
        closedir(listing);
    else if (copy >= 0)
        close(copy);
    if (good && make_indexes(names))
        return names;
    names_free(names);
    return NULL;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    for (size_t i = 0; i < names->texts.count; i++)
        free(((char **)names->texts.items)[i]);
    struct list *lists[] = {&names->texts,   &names->networks, &names->listeners,
                            &names->entries, &names->places,   &names->labels};
    for (size_t i = 0; i < COUNT(lists); i++)
        free(lists[i]->items);
    free(names->by_id.buckets);
    free(names->by_address.buckets);
    free(names->by_label.buckets);
    free(names);
}

const struct address *names_listen(const struct names *names, size_t at)
{
    return at < names->listeners.count ? &((struct place *)names->listeners.items + at)->address : NULL;
}

/* The network that listens there, or -1. */
static int network_at(const struct names *names, const struct address *listener)
{
    const struct place *places = names->listeners.items;

    for (size_t i = 0; i < names->listeners.count; i++)
        if (address_equal(&places[i].address, listener))
            return places[i].owner;
    return -1;
}

static bool is_in_view(const struct view *view, int network)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->networks[i] == network)
            return true;
    return false;
}

static void see(struct view *view, int network)
{
    if (view->count < MOST_VIEW && !is_in_view(view, network))
        view->networks[view->count++] = network;
}

/* The client's entry: on the network of the listener if it is on that one, else on another one; -1 if nobody has this
   address. */
static int entry_of(const struct names *names, int network, const struct address *client)
{
    int found = -1;

    for (int i = index_first(&names->by_address, address_hash(client)); i >= 0; i = PLACE(names, i)->next) {
        const struct place *place = PLACE(names, i);
        if (!address_equal(&place->address, client))
            continue;
        if (ENTRY(names, place->owner)->network == network)
            return place->owner;
        found = place->owner;
    }
    return found;
}

static void use_servers(struct view *view, const struct address *servers, size_t count)
{
    for (size_t i = 0; i < count && view->server_count < MOST_SERVERS; i++)
        view->servers[view->server_count++] = servers[i];
}

void names_view(const struct names *names, const struct address *listener, const struct address *client,
                struct view *view)
{
    int network = network_at(names, listener);
    int own = entry_of(names, network, client);

    memset(view, 0, sizeof *view);
    view->internal = true;
    if (own < 0) {
        /* Somebody who isn't known (yet) is taken for one of the network where he asks: aardvark-dns does so, too. */
        if (network >= 0)
            see(view, network);
    } else {
        const char *id = ENTRY(names, own)->id;
        see(view, ENTRY(names, own)->network);
        for (int i = index_first(&names->by_id, text_hash(id)); i >= 0; i = ENTRY(names, i)->next_of_id)
            if (strcmp(ENTRY(names, i)->id, id) == 0)
                see(view, ENTRY(names, i)->network);
    }
    for (size_t i = 0; i < view->count; i++)
        view->internal &= NETWORK(names, view->networks[i])->internal;
    if (own >= 0)
        use_servers(view, ENTRY(names, own)->servers, ENTRY(names, own)->server_count);
    if (view->server_count > 0)
        return;
    for (size_t i = 0; i < view->count; i++) {
        const struct network *one = NETWORK(names, view->networks[i]);
        if (!one->internal)
            use_servers(view, one->servers, one->server_count);
    }
}

/* Adds the addresses of an entry, which lie side by side. */
static size_t add_addresses(const struct names *names, int entry, const struct address **found, size_t count)
{
    const struct place *places = names->places.items;
    size_t low = 0, high = names->places.count;

    while (low < high) { /* the first place of the entry: owners ascend */
        size_t middle = low + (high - low) / 2;
        if (places[middle].owner < entry)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < names->places.count && places[low].owner == entry && count < MOST_FOUND; low++)
        found[count++] = &places[low].address;
    return count;
}

size_t names_addresses(const struct names *names, const struct view *view, const char *name,
                       const struct address **found)
{
    int first = index_first(&names->by_label, text_hash(name));
    size_t count = 0;

    for (size_t n = 0; n < view->count; n++)
        for (int i = first; i >= 0; i = LABEL(names, i)->next) {
            const struct label *label = LABEL(names, i);
            if (ENTRY(names, label->entry)->network == view->networks[n] && strcmp(label->text, name) == 0)
                count = add_addresses(names, label->entry, found, count);
        }
    return count;
}

size_t names_of(const struct names *names, const struct view *view, const struct address *address, const char **found)
{
    size_t count = 0;

    for (int i = index_first(&names->by_address, address_hash(address)); i >= 0; i = PLACE(names, i)->next) {
        const struct place *place = PLACE(names, i);
        const struct entry *entry = ENTRY(names, place->owner);
        if (!address_equal(&place->address, address) || !is_in_view(view, entry->network))
            continue;
        for (size_t k = 0; k < entry->labels && count < MOST_FOUND; k++)
            found[count++] = LABEL(names, entry->first_label + k)->text;
    }
    return count;
}

bool names_has(const struct names *names, const struct address *address)
{
    return entry_of(names, -1, address) >= 0;
}

bool names_is_listener(const struct names *names, const struct address *address)
{
    return network_at(names, address) >= 0;
}
