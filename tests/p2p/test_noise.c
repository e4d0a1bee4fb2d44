/* noise: Noise_XX_25519_ChaChaPoly_BLAKE2b against the public vectors (those of
 * Debian's golang-github-flynn-noise-dev), and what a wrong end meets. */
#include "p2p/noise.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS  "/usr/share/gocode/src/github.com/flynn/noise/vectors.txt"
#define PROTOCOL "Noise_XX_25519_ChaChaPoly_BLAKE2b"
#define MESSAGE  4096 /* more than any message here */

static const struct era_bytes nothing = {(const uint8_t *)"", 0};

static struct era_bytes text(const char *s)
{
    return (struct era_bytes){(const uint8_t *)s, strlen(s)};
}

/* ---- two ends ---- */

struct message {
    uint8_t b[MESSAGE];
    size_t len;
};

struct pair {
    struct era_noise_handshake a, b; /* a begins */
    struct message m[ERA_NOISE_MESSAGES];
};

static struct era_noise_keypair given_keypair(uint8_t fill)
{
    uint8_t secret[ERA_NOISE_KEY_BYTES];
    struct era_noise_keypair pair;
    memset(secret, fill, sizeof secret);
    era_noise_keypair(&pair, secret);
    return pair;
}

/* session: what its ephemeral keys come from. */
static void given_pair(struct pair *p, uint8_t session)
{
    struct era_noise_keypair a = given_keypair(1), b = given_keypair(2);
    struct era_noise_keypair ephemeral_a = given_keypair(session), ephemeral_b = given_keypair(session + 100);
    memset(p, 0, sizeof *p);
    era_noise_handshake_init(&p->a, true, text("prologue"), &a, &ephemeral_a);
    era_noise_handshake_init(&p->b, false, text("prologue"), &b, &ephemeral_b);
}

static struct era_noise_handshake *writer(struct pair *p, unsigned number)
{
    return number % 2 == 0 ? &p->a : &p->b;
}

static struct era_noise_handshake *reader(struct pair *p, unsigned number)
{
    return number % 2 == 0 ? &p->b : &p->a;
}

static bool write_message(struct pair *p, unsigned number)
{
    return era_noise_handshake_write(writer(p, number), nothing, p->m[number].b, &p->m[number].len);
}

static bool read_bytes(struct era_noise_handshake *h, const uint8_t *bytes, size_t len)
{
    uint8_t payload[MESSAGE];
    size_t payload_len;
    return era_noise_handshake_read(h, (struct era_bytes){bytes, len}, payload, &payload_len);
}

static bool read_message(struct pair *p, unsigned number)
{
    return read_bytes(reader(p, number), p->m[number].b, p->m[number].len);
}

/* Messages before `number` went well. */
static void given_pair_at(struct pair *p, uint8_t session, unsigned number)
{
    given_pair(p, session);
    for (unsigned i = 0; i < number; i++)
        cr_assert(write_message(p, i) && read_message(p, i));
}

struct ciphers {
    struct era_noise_cipher a_send, a_receive, b_send, b_receive;
};

static struct ciphers given_ciphers(void)
{
    struct pair p;
    struct ciphers c;
    given_pair_at(&p, 7, ERA_NOISE_MESSAGES);
    era_noise_handshake_split(&p.a, &c.a_send, &c.a_receive);
    era_noise_handshake_split(&p.b, &c.b_send, &c.b_receive);
    return c;
}

static struct message sealed(struct era_noise_cipher *c, const char *words)
{
    struct message m;
    cr_assert(era_noise_encrypt(c, nothing, text(words), m.b, &m.len));
    return m;
}

static bool opens(struct era_noise_cipher *c, const struct message *m, const char *words)
{
    uint8_t plain[MESSAGE];
    size_t len;
    return era_noise_decrypt(c, nothing, (struct era_bytes){m->b, m->len}, plain, &len) &&
           len == strlen(words) && memcmp(plain, words, len) == 0;
}

/* ---- the public vectors ---- */

struct vector {
    bool begun;
    uint8_t statics[2][ERA_NOISE_KEY_BYTES], ephemerals[2][ERA_NOISE_KEY_BYTES]; /* initiator's first */
    struct message prologue, payload;
    struct era_noise_handshake h[2];
    struct era_noise_cipher send[2], receive[2];
    unsigned messages;
};

static size_t hex(const char *in, uint8_t *out, size_t cap)
{
    size_t len;
    const char *end;
    cr_assert_eq(sodium_hex2bin(out, cap, in, strlen(in), "\n", &len, &end), 0);
    return len;
}

static void vector_begin(struct vector *v)
{
    for (int i = 0; i < 2; i++) {
        struct era_noise_keypair mine, ephemeral;
        era_noise_keypair(&mine, v->statics[i]);
        era_noise_keypair(&ephemeral, v->ephemerals[i]);
        era_noise_handshake_init(&v->h[i], i == 0, (struct era_bytes){v->prologue.b, v->prologue.len}, &mine,
                                 &ephemeral);
    }
    v->begun = true;
}

static void vector_message(struct vector *v, const struct message *want, size_t line)
{
    bool transport = v->messages >= ERA_NOISE_MESSAGES; /* the initiator begins again */
    unsigned from = (v->messages - (transport ? ERA_NOISE_MESSAGES : 0)) % 2, to = 1 - from;
    struct message got, back;
    struct era_bytes payload = {v->payload.b, v->payload.len}, bytes = {got.b, 0};
    if (!v->begun)
        vector_begin(v);
    if (v->messages == ERA_NOISE_MESSAGES)
        for (int i = 0; i < 2; i++)
            era_noise_handshake_split(&v->h[i], &v->send[i], &v->receive[i]);
    cr_assert(transport ? era_noise_encrypt(&v->send[from], nothing, payload, got.b, &got.len)
                        : era_noise_handshake_write(&v->h[from], payload, got.b, &got.len));
    cr_assert_eq(got.len, want->len, "line %zu", line);
    cr_assert_eq(memcmp(got.b, want->b, got.len), 0, "line %zu", line);
    bytes.len = got.len;
    cr_assert(transport ? era_noise_decrypt(&v->receive[to], nothing, bytes, back.b, &back.len)
                        : era_noise_handshake_read(&v->h[to], bytes, back.b, &back.len));
    cr_assert_eq(back.len, payload.len, "line %zu", line);
    cr_assert_eq(memcmp(back.b, payload.data, back.len), 0, "line %zu", line);
    v->messages++;
}

static void vector_line(struct vector *v, const char *name, const char *value, size_t line)
{
    static const struct {
        const char *name;
        size_t at;
    } keys[] = {{"init_static", offsetof(struct vector, statics[0])},
                {"resp_static", offsetof(struct vector, statics[1])},
                {"gen_init_ephemeral", offsetof(struct vector, ephemerals[0])},
                {"gen_resp_ephemeral", offsetof(struct vector, ephemerals[1])}};
    struct message want;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(name, keys[i].name) == 0)
            hex(value, (uint8_t *)v + keys[i].at, ERA_NOISE_KEY_BYTES);
    if (strcmp(name, "prologue") == 0)
        v->prologue.len = hex(value, v->prologue.b, MESSAGE);
    if (strncmp(name, "msg_", 4) == 0 && strstr(name, "_payload") != NULL)
        v->payload.len = hex(value, v->payload.b, MESSAGE);
    if (strncmp(name, "msg_", 4) != 0 || strstr(name, "_ciphertext") == NULL)
        return;
    want.len = hex(value, want.b, MESSAGE);
    vector_message(v, &want, line);
}

Test(noise, every_public_vector_of_the_protocol_holds)
{
    static struct vector v;
    char *text_line = NULL;
    size_t cap = 0, line = 0, vectors = 0, messages = 0;
    bool ours = false;
    FILE *f = fopen(VECTORS, "r");
    if (f == NULL)
        cr_skip_test("1 test skipped: there is no " VECTORS " (golang-github-flynn-noise-dev)");
    while (getline(&text_line, &cap, f) > 0) {
        char *value = strchr(text_line, '=');
        line++;
        if (value == NULL)
            continue;
        *value++ = '\0';
        if (strcmp(text_line, "handshake") == 0) {
            messages += v.messages;
            memset(&v, 0, sizeof v);
            value[strcspn(value, "\n")] = '\0';
            ours = strcmp(value, PROTOCOL) == 0;
            vectors += ours;
        } else if (ours) {
            vector_line(&v, text_line, value, line);
        }
    }
    messages += v.messages;
    free(text_line);
    fclose(f);
    cr_assert_eq(vectors, 4);
    cr_assert_eq(messages, 4 * 5);
}

/* ---- the handshake ---- */

Test(noise, both_ends_learn_the_others_static_key)
{
    struct pair p;
    given_pair_at(&p, 7, ERA_NOISE_MESSAGES);
    cr_assert(era_noise_handshake_done(&p.a) && era_noise_handshake_done(&p.b));
    cr_assert_eq(memcmp(p.a.peer, given_keypair(2).key, ERA_NOISE_KEY_BYTES), 0);
    cr_assert_eq(memcmp(p.b.peer, given_keypair(1).key, ERA_NOISE_KEY_BYTES), 0);
}

Test(noise, messages_have_the_length_that_the_pattern_gives)
{
    struct pair p;
    given_pair_at(&p, 7, ERA_NOISE_MESSAGES);
    cr_assert_eq(p.m[0].len, 32);
    cr_assert_eq(p.m[1].len, 96);
    cr_assert_eq(p.m[2].len, 64);
    for (unsigned i = 0; i < ERA_NOISE_MESSAGES; i++)
        cr_assert_eq(era_noise_message_overhead(i), p.m[i].len);
}

/* The first message is in the clear: that it was altered shows when the second is read. */
Test(noise, a_flipped_bit_in_any_byte_of_any_message_is_refused)
{
    for (unsigned number = 0; number < ERA_NOISE_MESSAGES; number++)
        for (size_t at = 0; at < era_noise_message_overhead(number); at++)
            for (int bit = 0; bit < 8; bit += 7) {
                struct pair p;
                given_pair_at(&p, 7, number);
                cr_assert(write_message(&p, number));
                p.m[number].b[at] ^= (uint8_t)(1 << bit);
                bool taken = read_message(&p, number);
                if (taken && number == 0)
                    taken = write_message(&p, 1) && read_message(&p, 1);
                cr_assert_not(taken, "message %u, byte %zu, bit %d", number, at, bit);
            }
}

Test(noise, a_message_cut_anywhere_is_refused)
{
    for (unsigned number = 0; number < ERA_NOISE_MESSAGES; number++)
        for (size_t len = 0; len < era_noise_message_overhead(number); len++) {
            struct pair p;
            given_pair_at(&p, 7, number);
            cr_assert(write_message(&p, number));
            cr_assert_not(read_bytes(reader(&p, number), p.m[number].b, len), "message %u, %zu bytes", number,
                          len);
        }
}

Test(noise, a_replayed_handshake_message_is_refused)
{
    struct pair now, before;
    given_pair_at(&before, 3, ERA_NOISE_MESSAGES);
    /* Of another session… */
    for (unsigned number = 1; number < ERA_NOISE_MESSAGES; number++) {
        given_pair_at(&now, 7, number);
        cr_assert_not(read_bytes(reader(&now, number), before.m[number].b, before.m[number].len));
    }
    /* …the first, which anybody may replay, leads to nothing: what answers it is for another ephemeral… */
    given_pair(&now, 7);
    cr_assert(read_bytes(&now.b, before.m[0].b, before.m[0].len) && write_message(&now, 1));
    cr_assert_not(read_bytes(&now.b, before.m[2].b, before.m[2].len));
    /* …and of this one, twice. */
    given_pair_at(&now, 7, 1);
    cr_assert_not(read_message(&now, 0));
}

Test(noise, a_handshake_message_out_of_order_is_refused)
{
    struct pair p;
    given_pair_at(&p, 7, ERA_NOISE_MESSAGES);
    struct pair fresh;
    given_pair(&fresh, 7);
    cr_assert_not(read_bytes(&fresh.a, p.m[0].b, p.m[0].len), "it is the initiator's turn to write");
    for (unsigned at = 0; at < ERA_NOISE_MESSAGES; at++)
        for (unsigned number = 1; number < ERA_NOISE_MESSAGES; number++) {
            struct pair now;
            given_pair_at(&now, 7, at);
            if (number == at || at == 0)
                continue; /* in the clear, any 32 bytes are a first message */
            cr_assert_not(read_bytes(reader(&now, at), p.m[number].b, p.m[number].len), "%u for %u", number,
                          at);
        }
}

Test(noise, a_handshake_that_failed_stays_failed)
{
    struct pair p;
    given_pair_at(&p, 7, 1);
    cr_assert(write_message(&p, 1));
    p.m[1].b[95] ^= 1;
    cr_assert_not(read_message(&p, 1));
    p.m[1].b[95] ^= 1;
    cr_assert_not(read_message(&p, 1));
    cr_assert_not(era_noise_handshake_writes(&p.a));
    cr_assert_not(era_noise_handshake_done(&p.a));
}

Test(noise, another_prologue_is_refused)
{
    struct pair p;
    struct era_noise_keypair b = given_keypair(2);
    given_pair(&p, 7);
    era_noise_handshake_init(&p.b, false, text("another"), &b, &b);
    cr_assert(write_message(&p, 0) && read_message(&p, 0) && write_message(&p, 1));
    cr_assert_not(read_message(&p, 1));
}

/* The points of small order, as libsodium and RFC 7748 name them. */
static const char *const low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

Test(noise, an_ephemeral_key_that_gives_a_zero_dh_is_refused)
{
    for (size_t i = 0; i < sizeof low_order / sizeof low_order[0]; i++) {
        struct pair p;
        given_pair(&p, 7);
        hex(low_order[i], p.a.ephemeral.key, ERA_NOISE_KEY_BYTES);
        cr_assert(write_message(&p, 0) && read_message(&p, 0));
        cr_assert_not(write_message(&p, 1), "initiator's: %s", low_order[i]);

        given_pair_at(&p, 7, 1);
        hex(low_order[i], p.b.ephemeral.key, ERA_NOISE_KEY_BYTES);
        cr_assert(write_message(&p, 1));
        cr_assert_not(read_message(&p, 1), "responder's: %s", low_order[i]);
    }
}

Test(noise, a_static_key_that_gives_a_zero_dh_is_refused)
{
    for (size_t i = 0; i < sizeof low_order / sizeof low_order[0]; i++) {
        struct pair p;
        /* Whoever claims it knows what the DH would give, so the end that reads must see it by itself. */
        given_pair_at(&p, 7, 1);
        hex(low_order[i], p.b.mine.key, ERA_NOISE_KEY_BYTES);
        cr_assert(write_message(&p, 1));
        cr_assert_not(read_message(&p, 1), "responder's: %s", low_order[i]);
        cr_assert_eq(p.a.symmetric.cipher.nonce, 1, "its key was read, and nothing after");

        given_pair_at(&p, 7, 2);
        hex(low_order[i], p.a.mine.key, ERA_NOISE_KEY_BYTES);
        cr_assert(write_message(&p, 2));
        cr_assert_not(read_message(&p, 2), "initiator's: %s", low_order[i]);
        cr_assert_eq(p.b.symmetric.cipher.nonce, 2);
    }
}

/* ---- transport ---- */

Test(noise, each_direction_has_its_own_key)
{
    struct ciphers c = given_ciphers();
    struct message from_a = sealed(&c.a_send, "from a"), from_b = sealed(&c.b_send, "from b");
    cr_assert_not(opens(&c.a_receive, &from_a, "from a"));
    cr_assert(opens(&c.b_receive, &from_a, "from a"));
    cr_assert(opens(&c.a_receive, &from_b, "from b"));
}

Test(noise, a_flipped_bit_in_any_byte_of_a_transport_message_is_refused)
{
    struct ciphers c = given_ciphers();
    struct message m = sealed(&c.a_send, "twenty bytes of text");
    for (size_t i = 0; i < m.len; i++) {
        m.b[i] ^= 0x40;
        cr_assert_not(opens(&c.b_receive, &m, "twenty bytes of text"), "byte %zu", i);
        m.b[i] ^= 0x40;
    }
    for (size_t len = 0; len < m.len; len++) {
        struct message cut = m;
        cut.len = len;
        cr_assert_not(opens(&c.b_receive, &cut, ""), "%zu bytes", len);
    }
    /* What was refused has used up no nonce. */
    cr_assert(opens(&c.b_receive, &m, "twenty bytes of text"));
}

Test(noise, a_transport_message_replayed_or_out_of_order_is_refused)
{
    struct ciphers c = given_ciphers();
    struct message first = sealed(&c.a_send, "first"), second = sealed(&c.a_send, "second");
    cr_assert_not(opens(&c.b_receive, &second, "second"));
    cr_assert(opens(&c.b_receive, &first, "first"));
    cr_assert_not(opens(&c.b_receive, &first, "first"));
    cr_assert(opens(&c.b_receive, &second, "second"));
    cr_assert_not(opens(&c.b_receive, &second, "second"));
}

Test(noise, used_up_nonces_end_a_cipher)
{
    struct ciphers c = given_ciphers();
    uint8_t out[64];
    size_t len;
    c.a_send.nonce = c.b_receive.nonce = UINT64_MAX - 1;
    struct message last = sealed(&c.a_send, "last");
    cr_assert(opens(&c.b_receive, &last, "last"));
    cr_assert_not(era_noise_encrypt(&c.a_send, nothing, text("one more"), out, &len));
    static const uint8_t nonce[12] = {0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255};
    struct message beyond = {.len = 4 + ERA_NOISE_TAG_BYTES};
    crypto_aead_chacha20poly1305_ietf_encrypt(beyond.b, NULL, (const uint8_t *)"more", 4, NULL, 0, NULL,
                                              nonce, c.a_send.key);
    cr_assert_not(opens(&c.b_receive, &beyond, "more"));
    cr_assert_eq(c.a_send.nonce, UINT64_MAX);
    cr_assert_eq(c.b_receive.nonce, UINT64_MAX);
}

/* REKEY(k): the first 32 bytes of the encryption of zeros under nonce 2^64 - 1. */
Test(noise, rekeying_is_what_the_specification_says_and_equal_at_both_ends)
{
    struct ciphers c = given_ciphers();
    static const uint8_t zeros[32], nonce[12] = {0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255};
    uint8_t want[32 + 16];
    struct message before = sealed(&c.a_send, "before");
    crypto_aead_chacha20poly1305_ietf_encrypt(want, NULL, zeros, sizeof zeros, NULL, 0, NULL, nonce,
                                              c.a_send.key);
    era_noise_rekey(&c.a_send);
    cr_assert_eq(memcmp(c.a_send.key, want, 32), 0);
    cr_assert_eq(c.a_send.nonce, 1);

    struct message after = sealed(&c.a_send, "after");
    cr_assert(opens(&c.b_receive, &before, "before"));
    cr_assert_not(opens(&c.b_receive, &after, "after"));
    era_noise_rekey(&c.b_receive);
    cr_assert(opens(&c.b_receive, &after, "after"));
}

Test(noise, no_secret_stays_behind_a_handshake)
{
    static const struct era_noise_handshake zeros;
    struct pair p;
    struct era_noise_cipher send, receive;
    given_pair_at(&p, 7, ERA_NOISE_MESSAGES);
    era_noise_handshake_split(&p.a, &send, &receive);
    cr_assert_eq(memcmp(p.a.peer, given_keypair(2).key, ERA_NOISE_KEY_BYTES), 0);
    memset(p.a.peer, 0, sizeof p.a.peer);
    cr_assert_eq(memcmp(&p.a, &zeros, sizeof zeros), 0);
    era_noise_handshake_wipe(&p.b);
    cr_assert_eq(memcmp(&p.b, &zeros, sizeof zeros), 0);
}

/* ---- node keys ---- */

Test(noise, a_node_key_is_proven_by_its_x25519_form_alone)
{
    struct era_key node, other, small = {{1}};
    uint8_t secret[ERA_SECRET_BYTES], seed[32] = {5};
    struct era_noise_keypair pair;
    crypto_sign_seed_keypair(node.b, secret, seed);
    era_noise_keypair_of_node(&pair, secret);
    seed[0] = 6;
    crypto_sign_seed_keypair(other.b, secret, seed);

    cr_assert(era_noise_proves_node(pair.key, &node));
    cr_assert_not(era_noise_proves_node(pair.key, &other));
    cr_assert_not(era_noise_proves_node(node.b, &node));
    cr_assert_not(era_noise_proves_node(pair.key, &small));
}
