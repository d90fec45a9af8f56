#define _GNU_SOURCE
#include "udp.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "context.h"
#include "datagram.h"

#ifndef IDLE_MS /* a test has no patience */
#define IDLE_MS 120000 /* as long as the kernel's conntrack keeps a flow with answers */
#endif
#define BATCHES 2      /* of one socket, before others get their turn */

int udp_init(struct context *ctx, struct error *err)
{
    const void *random = (const void *)getauxval(AT_RANDOM);

    if (random != NULL)
        memcpy(&ctx->udp.seed, random, sizeof(ctx->udp.seed));
    if (batch_init(err) < 0)
        return -1;
    return slots_init(&ctx->udp.slots, sizeof(struct flow), ctx->limits.flows, err);
}

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u; /* FNV-1a */
    return hash;
}

/* With a seed, so that no client can choose addresses that all meet in one bucket. */
static struct flow **bucket(struct udp *udp, const struct listener *listener, const union address *client)
{
    uint64_t hash = udp->seed ^ (uintptr_t)listener;

    if (client->any.sa_family == AF_INET6)
        hash = mix(hash, &client->v6.sin6_addr, sizeof(client->v6.sin6_addr));
    else
        hash = mix(hash, &client->v4.sin_addr, sizeof(client->v4.sin_addr));
    uint16_t port = address_port(client);
    hash = mix(hash, &port, sizeof(port));
    return &udp->buckets[(hash ^ hash >> 32) % BUCKETS];
}

static void unchain(struct udp *udp, struct flow *flow)
{
    struct flow **at = bucket(udp, flow->listener, &flow->client);

    while (*at != flow)
        at = &(*at)->chained;
    *at = flow->chained;
}

static void unlist(struct udp *udp, struct flow *flow)
{
    *(flow->older ? &flow->older->newer : &udp->oldest) = flow->newer;
    *(flow->newer ? &flow->newer->older : &udp->newest) = flow->older;
}

static void list(struct udp *udp, struct flow *flow)
{
    flow->newer = NULL;
    flow->older = udp->newest;
    *(udp->newest ? &udp->newest->newer : &udp->oldest) = flow;
    udp->newest = flow;
}

static void touch(struct context *ctx, struct flow *flow)
{
    flow->last = ctx->loop.now;
    if (ctx->udp.newest == flow)
        return;
    unlist(&ctx->udp, flow);
    list(&ctx->udp, flow);
}

static void end(struct context *ctx, struct flow *flow)
{
    unchain(&ctx->udp, flow);
    unlist(&ctx->udp, flow);
    close_fd(&flow->source.fd);
    slots_give(&ctx->udp.slots, flow);
}

static void idle_too_long(struct context *ctx)
{
    struct udp *udp = &ctx->udp;

    while (udp->oldest != NULL && udp->oldest->last + IDLE_MS <= ctx->loop.now)
        end(ctx, udp->oldest);
    if (udp->oldest != NULL)
        loop_timer(&ctx->loop, TIMER_FLOWS, udp->oldest->last + IDLE_MS, idle_too_long);
    else
        batch_rest();
}

/* Answers. An error that recvmmsg(2) tells is an ICMP message's (nobody listens in the container, say): it is over with
   that, and the client, whom no ICMP message of ours could reach, asks again or gives up. */
static void flow_ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct flow *flow = CONTAINER_OF(source, struct flow, source);

    (void)events;
    for (int i = 0; i < BATCHES; i++) {
        const struct batch *batch = batch_receive(source->fd, true);
        if (batch == NULL && errno == EAGAIN)
            return;
        if (batch == NULL)
            continue;
        touch(ctx, flow);
        /* What the host's own socket has no room for is lost, as a router's would be. */
        batch_send(flow->listener->source.fd, batch->datagrams, batch->count, &flow->client, &flow->asked);
        if (batch->count < BATCH)
            return;
    }
}

static struct flow *find(struct udp *udp, const struct listener *listener, const union address *client,
                         const struct asked *asked)
{
    struct flow *flow = *bucket(udp, listener, client);

    while (flow != NULL && (flow->listener != listener || !address_equal(&flow->client, client) ||
                            memcmp(&flow->asked, asked, sizeof(*asked)) != 0))
        flow = flow->chained;
    return flow;
}

/* At the limit the one that was quiet longest ends. If an event of this batch still names it, its successor looks for
   a datagram in vain, which is harmless. */
static struct flow *take_slot(struct context *ctx)
{
    struct flow *flow = slots_take(&ctx->udp.slots);

    if (flow == NULL) {
        end(ctx, ctx->udp.oldest);
        slots_recycle(&ctx->udp.slots);
        flow = slots_take(&ctx->udp.slots);
    }
    return flow;
}

static struct flow *begin(struct context *ctx, struct listener *listener, const union address *client,
                          const struct asked *asked)
{
    struct udp *udp = &ctx->udp;
    union address plain = *client;
    union address server;

    address_unmap(&plain);
    int fd = target_connect(&ctx->target, SOCK_DGRAM, &plain, listener->port, &server);
    if (fd < 0)
        return NULL;
    struct flow *flow = take_slot(ctx);
    *flow = (struct flow){.source = {.fd = fd, .ready = flow_ready}, .listener = listener, .client = *client,
                          .asked = *asked, .last = ctx->loop.now};
    struct flow **chain = bucket(udp, listener, client);
    flow->chained = *chain;
    *chain = flow;
    list(udp, flow);
    if (loop_add(&ctx->loop, &flow->source, EPOLLIN) < 0) {
        end(ctx, flow);
        return NULL;
    }
    if (!loop_timer_set(&ctx->loop, TIMER_FLOWS))
        loop_timer(&ctx->loop, TIMER_FLOWS, flow->last + IDLE_MS, idle_too_long);
    return flow;
}

/* Returns how many from the first on are of the same flow. */
static unsigned same_flow(const struct datagram *first, unsigned count)
{
    unsigned same = 1;

    while (same < count && address_equal(&first[same].from, &first->from) &&
           memcmp(&first[same].asked, &first->asked, sizeof(first->asked)) == 0)
        same++;
    return same;
}

static void pass_on(struct context *ctx, struct listener *listener, const struct datagram *first, unsigned count)
{
    struct flow *flow = find(&ctx->udp, listener, &first->from, &first->asked);

    if (flow == NULL && (flow = begin(ctx, listener, &first->from, &first->asked)) == NULL)
        return;
    touch(ctx, flow);
    batch_send(flow->source.fd, first, count, NULL, NULL);
}

void udp_receive(struct context *ctx, struct listener *listener)
{
    for (int i = 0; i < BATCHES; i++) {
        const struct batch *batch = batch_receive(listener->source.fd, false);
        if (batch == NULL && errno == EAGAIN)
            return;
        if (batch == NULL)
            continue;
        for (unsigned at = 0; at < batch->count;) {
            unsigned count = same_flow(&batch->datagrams[at], batch->count - at);
            pass_on(ctx, listener, &batch->datagrams[at], count);
            at += count;
        }
        if (batch->count < BATCH)
            return;
    }
}

void udp_forget(struct context *ctx, const struct listener *listener)
{
    struct flow *flow = ctx->udp.oldest;

    while (flow != NULL) {
        struct flow *newer = flow->newer;
        if (listener == NULL || flow->listener == listener)
            end(ctx, flow);
        flow = newer;
    }
}

void udp_after_events(struct context *ctx)
{
    slots_recycle(&ctx->udp.slots);
}
