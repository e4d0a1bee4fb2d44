/* frame: one link frame body (message Frame) as parts, without allocation.
 * Reading: era_frame_decode checks everything once; era_frame_next then yields
 * the parts in wire order and cannot fail. All spans are borrowed from the
 * frame's bytes. Writing: a builder on the caller's buffer; every add either
 * fits or changes nothing.
 * Unknown fields are skipped, in the frame and inside its messages, so that an
 * older node keeps working beside newer ones (M11); known ones are strict:
 * shortest varints, no field twice, bounds of limits.h, clean UTF-8. */
#ifndef ERA_PROTO_FRAME_H
#define ERA_PROTO_FRAME_H

#include "proto/limits.h"
#include "proto/peer_record.h"
#include "proto/statement.h"

#define ERA_FRAME_SALT_BYTES  16
#define ERA_FRAME_SHORT_BYTES 8 /* a short id: see p2p/sketch.h */

/* Numbers are those of message Frame. */
enum era_frame_part_kind {
    ERA_FRAME_HELLO = 1,
    ERA_FRAME_REFUSAL = 2,
    ERA_FRAME_STATEMENT = 3, /* an encoded envelope; repeats */
    ERA_FRAME_FRAGMENT = 4,  /* repeats */
    ERA_FRAME_DIGEST = 5,
    ERA_FRAME_CELLS = 6,
    ERA_FRAME_ASK = 7,
    ERA_FRAME_STATUS = 8,
    ERA_FRAME_NEIGHBOUR = 13,
    ERA_FRAME_WALK = 14,
    ERA_FRAME_SHUFFLE = 15,
    ERA_FRAME_SPREAD = 16
};

struct era_frame_hello {
    uint32_t protocol_min, protocol_max;
    struct era_hash network;
    struct era_key node;
    struct era_versions versions;
    char listen[ERA_ADDRESS_BYTES_MAX + 1]; /* "" = none */
    bool blocked;
    char agent[ERA_NAME_BYTES_MAX + 1];
    uint8_t
        salt[ERA_SALT_BYTES]; /* of the short ids that the peer announces to us; zeros when it told none */
    bool alone; /* the sender has no other link that is up: what is pushed shall come by this one */
    uint8_t sync_salt[ERA_FRAME_SALT_BYTES]; /* this end's part of the link's salt; of this link alone */
};

struct era_frame_refusal {
    uint32_t verdict; /* a newer peer may send one that is not in enum era_verdict */
    char text[ERA_TEXT_BYTES_MAX + 1];
};

/* offset + data.len <= total_bytes <= ERA_STATEMENT_BYTES_MAX; 1 <= data.len <= ERA_FRAGMENT_BYTES_MAX. */
struct era_frame_fragment {
    uint32_t total_bytes, offset;
    struct era_bytes data;
};

/* Begins a round. */
struct era_frame_digest {
    uint32_t set; /* any number: unknown sets are the reader's to skip */
    uint64_t round;
    uint32_t salt;             /* its number: how often the two ends took a new one */
    uint64_t count;            /* items */
    struct era_bytes print;    /* ERA_SYNC_PRINT_BYTES */
    struct era_bytes estimate; /* ERA_SYNC_ESTIMATE_BYTES */
    struct era_bytes upto;     /* an id up to which all was taken in order, or nothing */
    bool alone;                /* nobody else is asked now: the whole set may come */
};

/* What an end says in a round. */
enum era_frame_word {
    ERA_WORD_EQUAL, /* the sets are equal: the round is over */
    ERA_WORD_WAIT,  /* not equal, but not now: the round is over */
    ERA_WORD_CELLS, /* here are my next cells */
    ERA_WORD_PAGES, /* I send all that I have, in order; all up to `upto` was sent */
    ERA_WORD_END,   /* that was all that I have */
    ERA_WORD_SEND,  /* send all that you have beyond `upto`, in order */
    ERA_WORD_COUNT
};

struct era_frame_cells {
    uint32_t set;
    uint64_t round;
    enum era_frame_word word;
    struct era_bytes cells; /* of WORD_CELLS: 1 … ERA_SYNC_CELLS_PER_FRAME_MAX; else nothing */
    bool more;              /* this batch of cells goes on in another frame */
    struct era_bytes upto;  /* an id, with WORD_PAGES and WORD_SEND, or nothing */
};

struct era_frame_ask {
    uint32_t set;
    uint64_t round;
    uint32_t cells;          /* so many more cells; 0 = none */
    struct era_bytes ids;    /* short ids of what the reader has and is to send */
    struct era_bytes offers; /* of what the writer has, sent before, and the reader may ask for */
    bool done;               /* that was all of the round */
};

struct era_frame_status {
    bool blocked;
    bool has_versions;
    struct era_versions versions;
};

/* Lists of ERA_SPREAD_ENTRY_BYTES each: a short id of 8 bytes, big-endian, and a byte about it. */
struct era_frame_spread {
    struct era_bytes announced; /* items that the sender holds; how long it waited to say so, in 2 ms */
    struct era_bytes
        orders; /* about items that the reader sent or announced: enum era_order, p2p/broadcast.h */
};

struct era_frame_part {
    enum era_frame_part_kind kind;
    union {
        struct era_frame_hello hello;
        struct era_frame_refusal refusal;
        struct era_bytes statement;
        struct era_frame_fragment fragment;
        struct era_frame_digest digest;
        struct era_frame_cells cells;
        struct era_frame_ask ask;
        struct era_frame_status status;
        enum era_neighbour_word neighbour;
        struct era_peer_walk walk;
        struct era_peer_shuffle shuffle;
        struct era_frame_spread spread;
    } u;
};

/* ---- reading ---- */
struct era_frame {
    struct era_bytes bytes; /* borrowed */
    size_t part_count;      /* known parts */
    size_t unknown_count;   /* parts, and words, of a newer version: skipped */
    bool has_hello, has_refusal;
};

struct era_frame_cursor {
    struct era_bytes rest;
};

/* An empty frame is accepted: it keeps a link alive. */
enum era_verdict era_frame_decode(struct era_bytes in, struct era_frame *out);
struct era_frame_cursor era_frame_first(const struct era_frame *frame);
/* False at the end. Only for a cursor of a frame that decoded. */
bool era_frame_next(struct era_frame_cursor *cursor, struct era_frame_part *out);

/* ---- writing ---- */
struct era_frame_builder {
    uint8_t *data; /* caller's, ERA_FRAME_BYTES_MAX bytes */
    size_t len;    /* the frame so far */
    size_t statement_count;
    uint32_t present; /* bit per part kind that may not repeat */
};

void era_frame_begin(struct era_frame_builder *b, uint8_t *buffer);
struct era_bytes era_frame_bytes(const struct era_frame_builder *b);

/* Each returns false, the frame unchanged, when the part does not fit, when
 * it may not repeat and is there already, or for more than
 * ERA_FRAME_STATEMENTS_MAX statements. Values out of their bounds are
 * assertions. */
bool era_frame_add_hello(struct era_frame_builder *b, const struct era_frame_hello *hello);
bool era_frame_add_refusal(struct era_frame_builder *b, enum era_verdict verdict, const char *text);
bool era_frame_add_statement(struct era_frame_builder *b, struct era_bytes envelope);
bool era_frame_add_fragment(struct era_frame_builder *b, const struct era_frame_fragment *fragment);
bool era_frame_add_digest(struct era_frame_builder *b, const struct era_frame_digest *digest);
bool era_frame_add_cells(struct era_frame_builder *b, const struct era_frame_cells *cells);
bool era_frame_add_ask(struct era_frame_builder *b, const struct era_frame_ask *ask);
/* versions: NULL when they are as the hello said. */
bool era_frame_add_status(struct era_frame_builder *b, bool blocked, const struct era_versions *versions);
bool era_frame_add_neighbour(struct era_frame_builder *b, enum era_neighbour_word word);
bool era_frame_add_walk(struct era_frame_builder *b, const struct era_peer_walk *walk);
bool era_frame_add_shuffle(struct era_frame_builder *b, const struct era_peer_shuffle *shuffle);
bool era_frame_add_spread(struct era_frame_builder *b, const struct era_frame_spread *spread);

#endif
