/* badpeer: a peer that completes the handshake, greets as anybody would, and then breaks the rules one way a
 * call, for badpeer.bats. Afterwards it stays linked, reading, until the daemon closes: what a node
 * says of it can be looked at. Its agent is the attack's name.
 *
 *   badpeer HOST PORT NETWORK_HEX ATTACK [WORD]
 *   badpeer keys DIR NAME...     key files of names
 *   badpeer validators COUNT     as many entries of a charter's list of validators, v1, v2, …
 *
 * After SIGUSR1 `everything` goes on asking. Exit status: 0 when the daemon closed; 1 when nothing could be
 * tried; 64 usage. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "p2p/sketch.h"
#include "proto/frame.h"
#include "src/base/textkey.h"
#include "src/host/charter_text.h"
#include "tests/lib/given.h"
#include "tests/p2p/rawlink.h"

#define PATIENCE_MS  30000
#define TURN_MS      200 /* an attack that goes on does so as often */
#define ITEMS_MAX    256
#define VALIDATORS   1000
#define CROWD        300 /* of them announce themselves */
#define KINDS_COUNT  2000
#define KIND_LOOSE   31 /* the last of the signed ones, and a carrier: nobody knows either */
#define KIND_CARRIER 4000
#define WHOLE_SETS   50
#define ASKS         60 /* frames of as many ids as a frame takes */

struct foe {
    struct rawlink r;
    struct era_key node; /* the key that the handshake proves */
    const char *attack, *word;
    struct era_hash items[ITEMS_MAX]; /* that the daemon sent */
    size_t item_count;
    uint64_t round;
    size_t step;
};

static volatile sig_atomic_t told_to_go_on; /* by SIGUSR1 */
static struct sockaddr_in there;
static struct era_hash network;
static uint8_t room[ERA_FRAME_BYTES_MAX];

static _Noreturn void give_up(const char *attack, const char *what)
{
    fprintf(stderr, "badpeer %s: %s\n", attack, what);
    exit(1);
}

/* ---- as everybody does ---- */

static bool put_frame(struct foe *f, struct era_bytes frame)
{
    uint8_t header[4];
    era_put_be32(header, (uint32_t)frame.len);
    return rawlink_put(&f->r, header, sizeof header, PATIENCE_MS) &&
           rawlink_put(&f->r, frame.data, frame.len, PATIENCE_MS);
}

static bool put(struct foe *f, const struct era_frame_builder *b)
{
    return put_frame(f, era_frame_bytes(b));
}

static void join(struct foe *f)
{
    uint8_t seed[crypto_sign_SEEDBYTES], secret[ERA_SECRET_BYTES];
    struct era_channel_config config = rawlink_config(&network);
    struct era_frame_builder b;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&there, sizeof there) != 0)
        give_up(f->attack, "no connection");
    randombytes_buf(seed, sizeof seed);
    crypto_sign_seed_keypair(f->node.b, secret, seed);
    era_noise_keypair_of_node(&config.mine, secret);
    rawlink_begin(&f->r, fd, &config);
    if (!rawlink_shake(&f->r, PATIENCE_MS))
        give_up(f->attack, "no handshake");
    struct era_frame_hello hello = {.protocol_min = ERA_PROTOCOL_MIN,
                                    .protocol_max = ERA_PROTOCOL_MAX,
                                    .network = network,
                                    .node = f->node};
    era_text_set(hello.agent, sizeof hello.agent, f->attack);
    era_frame_begin(&b, room);
    if (!era_frame_add_hello(&b, &hello) || !put(f, &b))
        give_up(f->attack, "no hello");
}

static bool put_envelope(struct foe *f, struct era_bytes envelope)
{
    struct era_frame_builder b;
    bool open = true;
    era_frame_begin(&b, room);
    if (envelope.len <= ERA_FRAGMENT_BYTES_MAX)
        return era_frame_add_statement(&b, envelope) && put(f, &b);
    for (size_t at = 0; open && at < envelope.len; at += ERA_FRAGMENT_BYTES_MAX) {
        size_t rest = envelope.len - at;
        struct era_frame_fragment part = {
            .total_bytes = (uint32_t)envelope.len,
            .offset = (uint32_t)at,
            .data = {envelope.data + at, rest < ERA_FRAGMENT_BYTES_MAX ? rest : ERA_FRAGMENT_BYTES_MAX}};
        era_frame_begin(&b, room);
        open = era_frame_add_fragment(&b, &part) && put(f, &b);
    }
    return open;
}

/* ---- kinds: of statements, of parts, of words, of sets, of orders, that nobody knows ---- */

static bool put_unknown_statements(struct foe *f)
{
    uint8_t payload[64], bytes[256];
    struct era_frame_builder b;
    era_frame_begin(&b, room);
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        struct era_envelope e = {.kind = i % 2 ? KIND_LOOSE : KIND_CARRIER + (uint32_t)i,
                                 .payload = {payload, sizeof payload}};
        randombytes_buf(payload, sizeof payload);
        randombytes_buf(&e.key, i % 2 ? sizeof e.key : 0);
        randombytes_buf(&e.signature, i % 2 ? sizeof e.signature : 0);
        size_t len = era_envelope_encode(&e, bytes, sizeof bytes);
        if (era_frame_add_statement(&b, (struct era_bytes){bytes, len}))
            continue;
        if (!put(f, &b))
            return false;
        era_frame_begin(&b, room);
        (void)era_frame_add_statement(&b, (struct era_bytes){bytes, len});
    }
    return put(f, &b);
}

static bool kinds(struct foe *f)
{
    static const uint8_t parts[] = {
        0xA2, 0x06, 1, 'x',  /* field 100 */
        0xAA, 0x06, 0,       /* field 101 */
        0xB0, 0x06, 1,       /* field 102, a number */
        0x6A, 2,    8, 0x63, /* Neighbour: word 99 */
    };
    struct era_frame_builder b;
    uint8_t print[ERA_SYNC_PRINT_BYTES] = {0}, estimate[ERA_SYNC_ESTIMATE_BYTES] = {0};
    uint8_t order[ERA_SPREAD_ENTRY_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 77};
    struct era_frame_digest digest = {
        .set = 9, .round = 2, .print = {print, sizeof print}, .estimate = {estimate, sizeof estimate}};
    struct era_frame_spread spread = {.orders = {order, sizeof order}};
    era_frame_begin(&b, room);
    era_frame_add_digest(&b, &digest);
    era_frame_add_spread(&b, &spread);
    return put_frame(f, (struct era_bytes){parts, sizeof parts}) && put(f, &b) && put_unknown_statements(f);
}

/* ---- lengths: of what lies in a frame; word: which ---- */

static bool lengths(struct foe *f)
{
    static const struct {
        const char *name;
        uint8_t bytes[16];
        size_t len;
    } frames[] = {
        {"statement", {0x1A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, 11}, /* of 2^63 */
        {"fragment", {0x22, 14, 8, 0x81, 0x80, 0x40, 16, 0, 26, 6, 1, 2, 3, 4, 5, 6}, 16},  /* 1 MiB + 1 */
        {"cells", {0x32, 13, 8, 1, 0x10, 2, 0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, 15}};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        if (strcmp(frames[i].name, f->word) == 0)
            return put_frame(f, (struct era_bytes){frames[i].bytes, frames[i].len});
    give_up(f->attack, "there is no such length");
}

/* ---- sketches: cells of nothing to whatever the daemon asks ---- */

static bool put_cells(struct foe *f, uint32_t set, uint64_t round, uint32_t count)
{
    static uint8_t cells[ERA_SYNC_CELLS_PER_FRAME_MAX * ERA_SYNC_CELL_BYTES];
    bool open = true;
    while (open && count > 0) {
        struct era_frame_builder b;
        uint32_t some = count < ERA_SYNC_CELLS_PER_FRAME_MAX ? count : ERA_SYNC_CELLS_PER_FRAME_MAX;
        count -= some;
        struct era_frame_cells answer = {.set = set,
                                         .round = round,
                                         .word = ERA_WORD_CELLS,
                                         .cells = {cells, (size_t)some * ERA_SYNC_CELL_BYTES},
                                         .more = count > 0};
        randombytes_buf(cells, answer.cells.len);
        era_frame_begin(&b, room);
        open = era_frame_add_cells(&b, &answer) && put(f, &b);
    }
    return open;
}

/* Whoever is blocked no more is compared with at once; else a daemon that was dialled has time. */
static bool hasten(struct foe *f)
{
    struct era_frame_builder b;
    era_frame_begin(&b, room);
    if (!era_frame_add_status(&b, true, NULL) || !put(f, &b))
        return false;
    era_frame_begin(&b, room);
    return era_frame_add_status(&b, false, NULL) && put(f, &b);
}

static bool spoil_round(struct foe *f, const struct era_frame_part *part)
{
    if (part->kind == ERA_FRAME_DIGEST)
        return put_cells(f, part->u.digest.set, part->u.digest.round, 64);
    if (part->kind == ERA_FRAME_ASK && part->u.ask.cells > 0)
        return put_cells(f, part->u.ask.set, part->u.ask.round, part->u.ask.cells);
    return true;
}

/* ---- everything: the whole set, again and again; then whatever came of it, again and again ---- */

static bool want_all(struct foe *f)
{
    static const uint8_t estimate[ERA_SYNC_ESTIMATE_BYTES];
    uint8_t print[ERA_SYNC_PRINT_BYTES];
    struct era_frame_builder b;
    randombytes_buf(print, sizeof print);
    struct era_frame_digest digest = {.set = 1,
                                      .round = f->round += 2,
                                      .print = {print, sizeof print},
                                      .estimate = {estimate, sizeof estimate},
                                      .alone = true};
    era_frame_begin(&b, room);
    return era_frame_add_digest(&b, &digest) && put(f, &b);
}

/* Short ids under the salt that is the network's. */
static bool ask_again(struct foe *f, size_t frames)
{
    static uint8_t ids[ERA_SYNC_IDS_PER_FRAME_MAX * ERA_FRAME_SHORT_BYTES];
    uint8_t in[ERA_HASH_BYTES + 1];
    struct era_salt salt;
    struct era_frame_builder b;
    bool open = f->item_count > 0;
    memcpy(in, network.b, ERA_HASH_BYTES);
    in[ERA_HASH_BYTES] = 1;
    crypto_generichash(salt.key.b, sizeof salt.key.b, in, sizeof in, NULL, 0);
    for (size_t i = 0; i < ERA_SYNC_IDS_PER_FRAME_MAX && open; i++)
        era_put_be64(ids + i * ERA_FRAME_SHORT_BYTES,
                     era_tag_of(&salt, &f->items[i % f->item_count]).short_id);
    for (size_t i = 0; i < frames && open; i++) {
        struct era_frame_ask ask = {.set = 1, .round = f->round, .ids = {ids, sizeof ids}};
        era_frame_begin(&b, room);
        open = era_frame_add_ask(&b, &ask) && put(f, &b);
    }
    return open;
}

static void learn_item(struct foe *f, struct era_bytes bytes)
{
    struct era_envelope e;
    if (f->item_count == ITEMS_MAX || era_envelope_decode(bytes, &e) != ERA_ACCEPTED ||
        era_kind_is_carrier(e.kind))
        return;
    struct era_hash id = era_statement_id(&network, e.kind, e.payload);
    f->items[f->item_count++] = era_item_id_loose(&id, &e.key);
}

static bool hear_everything(struct foe *f, const struct era_frame_part *part)
{
    bool open = true;
    if (part->kind == ERA_FRAME_STATEMENT)
        learn_item(f, part->u.statement);
    if (part->kind != ERA_FRAME_CELLS || part->u.cells.word != ERA_WORD_END || f->step++ > 0)
        return true;
    for (size_t i = 0; i < WHOLE_SETS && open; i++)
        open = want_all(f);
    return open && ask_again(f, ASKS);
}

static bool go_on_asking(struct foe *f)
{
    return !told_to_go_on || ask_again(f, 4);
}

/* ---- places: that point back at the daemon, at nobody, and where nobody can be ---- */

static struct era_peer_record record_at(const struct era_place *place)
{
    struct era_peer_record r = {.place = *place, .made_ms = (uint64_t)time(NULL) * 1000};
    uint8_t secret[ERA_SECRET_BYTES];
    crypto_sign_keypair(r.node.b, secret);
    struct era_hash digest = era_peer_record_digest(&network, &r);
    crypto_sign_detached(r.signature.b, NULL, digest.b, sizeof digest.b, secret);
    return r;
}

static bool tell(struct foe *f, const struct era_peer_shuffle *shuffle)
{
    struct era_frame_builder b;
    era_frame_begin(&b, room);
    return era_frame_add_shuffle(&b, shuffle) && put(f, &b);
}

static bool places(struct foe *f)
{
    static const struct era_place nowhere[] = {{.len = 4, .ip = {127, 0, 0, 1}, .port = 0},
                                               {.len = 4, .ip = {0}, .port = 7711},
                                               {.len = 4, .ip = {224, 0, 0, 1}, .port = 7711},
                                               {.len = 4, .ip = {255, 255, 255, 255}, .port = 7711},
                                               {.len = 16, .ip = {0xFF, 2, [15] = 1}, .port = 7711}};
    struct era_place ours = {.len = 4, .port = ntohs(there.sin_port)};
    struct era_peer_shuffle back = {.count = ERA_OVERLAY_SHUFFLE_MAX}, nobody = back;
    bool open = true;
    memcpy(ours.ip, &there.sin_addr, 4);
    for (size_t i = 0; i < back.count; i++) {
        struct era_place silent = {.len = 4, .ip = {127, 255, 254, (uint8_t)(i + 1)}, .port = 9};
        back.records[i] = record_at(&ours);
        nobody.records[i] = record_at(&silent);
    }
    open = tell(f, &back) && tell(f, &nobody);
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0] && open; i++) {
        struct era_peer_shuffle one = {.count = 1, .records = {record_at(&nowhere[i])}};
        open = tell(f, &one);
    }
    return open;
}

/* ---- true words of many keys, so that there is a set worth asking for ---- */

/* word: the charter's file. */
static struct era_charter *charter(const struct foe *f)
{
    static struct era_charter *c;
    struct era_error err;
    if (c == NULL && ((c = calloc(1, sizeof *c)) == NULL || !era_charter_load(f->word, c, &err)))
        give_up(f->attack, "no charter");
    return c;
}

static bool announce(struct foe *f)
{
    struct era_announcement a = given_running(charter(f), 1, "1.0.0");
    bool open = true;
    for (size_t i = 1; i <= CROWD && open; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%zu", i);
        open = put_envelope(f, given_announce(charter(f), name, &a));
    }
    return open;
}

/* ---- certificates of a thousand votes, one of them false ---- */

static void false_vote(struct era_carrier *k, size_t which)
{
    struct era_indexed_signature *votes = (struct era_indexed_signature *)(uintptr_t)k->readiness;
    votes[which].signature.b[40] ^= 1;
}

/* The next one: each is another proposal's. */
static bool put_certificate(struct foe *f, bool is_true)
{
    static char names[VALIDATORS * 8];
    const struct era_charter *c = charter(f);
    for (size_t i = 1, at = 0; i <= VALIDATORS && f->step == 0; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%sv%zu", i > 1 ? " " : "", i);
    struct era_proposal *p = given_soft(given_proposal(c, "network", ++f->step), 1000, "1.1.0");
    struct era_carrier *k = given_carrier(c, p, "sam", "sam sue", names, "");
    if (!is_true)
        false_vote(k, VALIDATORS - 1);
    return put_envelope(f, given_sealed(ERA_KIND_CERTIFICATE, k));
}

static bool lie(struct foe *f)
{
    return put_certificate(f, false);
}

static bool speak_true(struct foe *f)
{
    return put_certificate(f, true);
}

/* ---- what it does, when ---- */

struct attack {
    const char *name;
    bool (*begin)(struct foe *f);
    bool (*hear)(struct foe *f, const struct era_frame_part *part);
    bool (*turn)(struct foe *f); /* every TURN_MS */
};

static const struct attack attacks[] = {{"kinds", kinds, NULL, NULL},
                                        {"lengths", lengths, NULL, NULL},
                                        {"sketches", hasten, spoil_round, NULL},
                                        {"everything", want_all, hear_everything, go_on_asking},
                                        {"places", places, NULL, NULL},
                                        {"lies", NULL, NULL, lie},
                                        {"truth", speak_true, NULL, NULL},
                                        {"crowd", announce, NULL, NULL}};

static bool hear_frames(struct foe *f, const struct attack *a)
{
    struct era_bytes body;
    bool open = true;
    while (open && era_channel_next(&f->r.channel, &body)) {
        struct era_frame frame;
        struct era_frame_part part;
        if (era_frame_decode(body, &frame) != ERA_ACCEPTED)
            give_up(f->attack, "the daemon's frame does not decode");
        struct era_frame_cursor cursor = era_frame_first(&frame);
        while (open && a->hear != NULL && era_frame_next(&cursor, &part))
            open = a->hear(f, &part);
    }
    return open && f->r.channel.state == ERA_CHANNEL_OPEN;
}

static void go(struct foe *f, const struct attack *a)
{
    bool open = a->begin == NULL || a->begin(f);
    while (open) {
        struct pollfd p = {.fd = f->r.fd, .events = POLLIN};
        int ready = poll(&p, 1, a->turn == NULL ? -1 : told_to_go_on ? 0 : TURN_MS);
        if (ready > 0)
            open = rawlink_step(&f->r, 0) && hear_frames(f, a);
        if (open && a->turn != NULL && (ready == 0 || told_to_go_on))
            open = a->turn(f);
    }
}

static void on_signal(int number)
{
    (void)number;
    told_to_go_on = 1;
}

/* ---- what the network is made of ---- */

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    size_t len = strlen(text);
    if (fd < 0 || fchmod(fd, mode) != 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0)
        give_up("keys", path);
}

static int write_keys(const char *dir, char **names)
{
    for (; *names != NULL; names++) {
        char path[256], text[ERA_KEY_TEXT_BYTES + 2];
        struct given_key k = given_key(*names);
        struct era_seed seed;
        memcpy(seed.b, k.secret, sizeof seed.b); /* libsodium keeps the seed first */
        era_seed_text(&seed, text);
        snprintf(path, sizeof path, "%s/%s.key", dir, *names);
        write_file(path, strcat(text, "\n"), 0600);
        era_key_text(&k.key, text);
        snprintf(path, sizeof path, "%s/%s.key.pub", dir, *names);
        write_file(path, strcat(text, "\n"), 0644);
    }
    return 0;
}

static int print_validators(int count)
{
    for (int i = 1; i <= count; i++) {
        char name[16], text[ERA_KEY_TEXT_BYTES];
        snprintf(name, sizeof name, "v%d", i);
        struct era_key key = given_key(name).key;
        printf("%s{ name = \"%s\"; key = \"%s\"; stake = \"1\"; }\n", i > 1 ? ", " : "  ", name,
               era_key_text(&key, text));
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct foe f;
    if (sodium_init() >= 0 && argc > 3 && strcmp(argv[1], "keys") == 0)
        return write_keys(argv[2], argv + 3);
    if (argc == 3 && strcmp(argv[1], "validators") == 0)
        return print_validators(atoi(argv[2]));
    if (argc < 5 || inet_pton(AF_INET, argv[1], &there.sin_addr) != 1 ||
        sodium_hex2bin(network.b, sizeof network.b, argv[3], strlen(argv[3]), NULL, NULL, NULL) != 0) {
        fprintf(stderr, "usage: badpeer HOST PORT NETWORK_HEX ATTACK [WORD]\n");
        return 64;
    }
    there.sin_family = AF_INET;
    there.sin_port = htons((uint16_t)atoi(argv[2]));
    f.attack = argv[4];
    f.word = argc > 5 ? argv[5] : "";
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        if (strcmp(attacks[i].name, f.attack) == 0) {
            signal(SIGUSR1, on_signal);
            join(&f);
            go(&f, &attacks[i]);
            rawlink_end(&f.r);
            return 0;
        }
    fprintf(stderr, "badpeer: no attack is called %s\n", f.attack);
    return 64;
}
