/* limits: every bound of erad, its unit, and why it is what it is.
 * Nothing here may be exceeded by outside input; a table without an entry
 * here is a bug. Shared by all floors above base. */
#ifndef ERA_PROTO_LIMITS_H
#define ERA_PROTO_LIMITS_H

#include <stdint.h>

/* clang-format off: a table of names, numbers and reasons */

/* ---- numbers (protocol §1) ---- */
#define ERA_EPOCH_MAX     ((uint64_t)9007199254740991) /* 2^53 - 1: exact in every JSON reader */
#define ERA_SEQ_MAX       ERA_EPOCH_MAX
#define ERA_STAKE_SUM_MAX ((uint64_t)1 << 62) /* sums and 3*sum stay in 64/128 bits */

/* ---- text, bytes without the final NUL ---- */
#define ERA_NAME_BYTES_MAX    64  /* component, artefact, flag, era, key names */
#define ERA_VERSION_BYTES_MAX 128 /* semver of any sane build tag */
#define ERA_RANGE_BYTES_MAX   128
#define ERA_DIGEST_BYTES_MAX  80 /* "sha256:" + 64 hex, "h1:" + 44 */
#define ERA_LINK_BYTES_MAX    256
#define ERA_TEXT_BYTES_MAX    1024 /* proposal text, reject reason */
#define ERA_BUILDER_BYTES_MAX 256
#define ERA_TOPIC_BYTES_MAX   64
#define ERA_ADDRESS_BYTES_MAX 128 /* tcp://host:port or ipc:///path (107) */

/* ---- a plan ---- */
#define ERA_PLAN_ENTRIES_MAX 5
#define ERA_ARTEFACTS_MAX    16
#define ERA_FLAGS_MAX        32
#define ERA_DEPENDENCIES_MAX 8
#define ERA_DROPS_MAX        16

/* ---- a charter ---- */
#define ERA_VALIDATORS_MAX       5000 /* certificate of 3,334 signatures stays under 1 MiB */
#define ERA_COMPONENTS_MAX       32
#define ERA_SIGNERS_MAX          64
#define ERA_EMITTERS_MAX         64
#define ERA_EVENTS_PER_EPOCH_MAX 1000
#define ERA_CHARTER_VERSION_MAX  2047 /* a chain is kept and walked whole */
#define ERA_CHARTER_BYTES_MAX    ((uint32_t)1 << 20)
#define ERA_CHARTER_STATEMENT_BYTES_MAX                                                                      \
    (ERA_CHARTER_BYTES_MAX - 1024) /* of version >= 1: the envelope around it fits ERA_STATEMENT_BYTES_MAX   \
                                    */
#define ERA_CLOSE_SLOTS_MAX 64     /* heads, and slots above them that a closing validator voted in (R10) */

/* ---- wire ---- */
#define ERA_FRAME_BYTES_MAX         ((uint32_t)65536)   /* frame body, without its 4-byte length */
#define ERA_FRAGMENT_BYTES_MAX      ((uint32_t)61440)   /* room for the frame around it */
#define ERA_STATEMENT_BYTES_MAX     ((uint32_t)1 << 20) /* encoded envelope, carriers included */
#define ERA_LOOSE_BYTES_MAX         ((uint32_t)49152)   /* payload of a loose statement: fits a frame */
#define ERA_EVENT_PAYLOAD_BYTES_MAX ((uint32_t)4096)
#define ERA_FRAME_STATEMENTS_MAX    1024
#define ERA_UNPACK_BYTES_MAX        ((uint32_t)8 << 20) /* all memory one decode may take */
#define ERA_PROTOCOL_MIN            1
#define ERA_PROTOCOL_MAX            1

/* ---- ledger ---- */
#define ERA_SIGN_WINDOW_SEQS        16 /* R2: a signer signs seq <= floor + 16 */
#define ERA_LEDGER_WINDOW_SEQS      64 /* loose statements kept above max(head, highest approved) */
#define ERA_IDS_PER_PLACE_MAX       2  /* R6 */
#define ERA_CARRIERS_HELD_MAX       16 /* R8: approved ones of a slot, kept for readiness alone */
#define ERA_LEDGER_ITEMS_MAX        ((uint64_t)2000000) /* a charter may demand; check refuses more */
#define ERA_CERTIFICATES_KEPT_MAX   64                  /* history in memory, a component; all stay on disk */
#define ERA_DISPLACED_PER_EPOCH_MAX 8 /* words of one key taken in where its place is full: each is stored and pushed */
#define ERA_EVENT_EPOCHS_KEPT       3
#define ERA_EVENT_RING_MAX          4096
#define ERA_BODIES_RECENT_MAX       64 /* envelopes in memory after they are durable: pushes go out within ms */
#define ERA_BODIES_RECENT_BYTES_MAX ((size_t)1 << 20)
#define ERA_LEASE_RUNS_MAX          64 /* own leases remembered, a run an entry; older ones bind nothing */
#define ERA_ARMED_TOLD_MAX          64 /* armed slots told of and remembered at once */
#define ERA_EVIDENCE_KEPT_MAX       256 /* of what is dominated, for people: in memory and on disk, a charter */

/* ---- store ---- */
#define ERA_STORE_BATCH_MAX       1000 /* records a transaction: 0.86 of the verify rate (figures) */
#define ERA_STORE_KEY_BYTES_MAX   255
#define ERA_STORE_VALUE_BYTES_MAX (ERA_STATEMENT_BYTES_MAX + 1024)

/* ---- links ---- */
#define ERA_LINKS_MAX             256
#define ERA_LINKS_PER_ADDRESS_MAX 32
#define ERA_PEERS_MAX             64 /* configured anchors */
#define ERA_LINK_OUT_BYTES_MAX                                                                               \
    ((uint32_t)4 << 20) /* queued to one slow peer; above: push skips it, anti-entropy heals */
#define ERA_LINKS_OUT_BYTES_MAX ((uint32_t)12 << 20)  /* of all links; then a neighbour may still have… */
#define ERA_LINK_OUT_BYTES_KEPT ((uint32_t)256 << 10) /* …this, and any other link one frame */
#define ERA_LINKS_IN_BYTES_MAX                                                                               \
    ((uint32_t)8 << 20) /* of frames that are not whole, all links; the oldest goes */
#define ERA_PARTIALS_BYTES_MAX         ((uint32_t)8 << 20) /* of statements in fragments, likewise */
#define ERA_SERVED_TABLES_MAX          64 /* links of which is known what they were sent, up to 64 KiB each */
#define ERA_SERVING_ITEMS_MAX          65536 /* queued for those who asked, all links; then a link may still have… */
#define ERA_LINK_SERVING_KEPT          256  /* …so many */
#define ERA_HANDSHAKE_MS               5000 /* Noise first, then as long again for the hello */
#define ERA_HANDSHAKES_MAX             128  /* accepted streams that have not proven a key yet */
#define ERA_HANDSHAKES_PER_ADDRESS_MAX 32   /* of one IPv4 address, one IPv6 /64, or all of ipc */
#define ERA_ACCEPTS_BURST          512 /* connections taken from the system's queue at once, and then… */
#define ERA_ACCEPTS_PER_S          500 /* …some hundredths of a core, if only to close them; the rest wait there */
#define ERA_TURNED_AWAY_BURST      2048 /* of them from hosts that are unwelcome, and then… */
#define ERA_TURNED_AWAY_PER_S      2000 /* …closed at once: they take nobody's turn */
#define ERA_HANDSHAKES_BURST           256 /* answered at once, four DH each: all of a large node's peers, and then… \
                                            */
#define ERA_HANDSHAKES_PER_S         100 /* …some hundredths of a core; who waits, waits for his own host */
#define ERA_LINK_GRACE_MS              1000 /* a link's time to greet, and to become a neighbour: it gives way last */
#define ERA_LINK_IDLE_MS             60000 /* nothing heard: the link is dead */
#define ERA_SYNC_INTERVAL_MS         2000
#define ERA_SYNC_QUIET_MS            60000 /* rounds that find nothing back off up to this */
#define ERA_SYNC_IDS_PER_FRAME_MAX   1800  /* 57,600 bytes of ids a frame */
#define ERA_SYNC_ESTIMATE_BYTES      96    /* counters: a difference is seen to about a seventh */
#define ERA_SYNC_PRINT_BYTES         16
#define ERA_SYNC_CELL_BYTES          11                 /* short id of 8, check of 3 */
#define ERA_SYNC_CELLS_PER_FRAME_MAX 5400               /* 59,400 bytes of cells a frame */
#define ERA_SYNC_CELLS_SHARED_MAX    32768              /* kept up to date for all links, a set: 384 KiB */
#define ERA_SYNC_CELLS_KEPT_MAX      2048               /* of a link with a salt of its own, a set: 24 KiB */
#define ERA_SYNC_CELLS_MAX           ((uint32_t)262144) /* of one round: some 160,000 differences */
#define ERA_SYNC_CELLS_TOTAL_MAX     ((uint32_t)2 * 262144) /* beyond those kept, of all links: 6 MiB */
#define ERA_REFUSED_IDS_MAX          65536 /* refused items remembered so that they are not asked for again */
#define ERA_ORIGINS_MAX              8192 /* signing keys with a push tree of their own: ERA_VALIDATORS_MAX, and more */
#define ERA_RECENT_ITEMS_MAX         4096 /* items whose short ids are known, a node and a link: a burst of 3,000 */
#define ERA_AWAITED_ITEMS_MAX        8192 /* announced, and not yet here */
#define ERA_LINK_AWAITED_MAX         1024 /* likewise, by one link: so many do no harm when it lies */
#define ERA_ANNOUNCERS_MAX           8    /* links remembered for one such item */
#define ERA_SPREAD_ENTRIES_MAX       2048 /* short ids a list of a frame: 18 kB */
#define ERA_SPREAD_ENTRIES_REQUEST   64   /* so many cost what one request costs */
#define ERA_SPREAD_ENTRY_BYTES       9    /* 8 of the short id, 1 of what is said of it */
#define ERA_SALT_BYTES               16   /* a SipHash key */
#define ERA_RECONNECT_MIN_MS         250
#define ERA_RECONNECT_MAX_MS         10000

/* ---- defence: what one link may cost ---- */
#define ERA_LINKS_PER_GROUP_MAX     64  /* accepted from one public prefix, see era_place_group */
#define ERA_LINKS_ACCEPTED_BURST    64  /* of one address that is nobody else's, and then… */
#define ERA_LINKS_ACCEPTED_PER_S    4   /* …who comes and goes costs a handshake each time */
#define ERA_SITE_LINKS_BURST        256 /* of an IPv6 /48, of which whoever has one host may have them all, and… */
#define ERA_SITE_LINKS_PER_S        16
#define ERA_BANS_MAX                256 /* remembered; the oldest gives way, a key's before a host's */
#define ERA_BREAKS_MAX              3   /* of one host within a day; then it is banned */
#define ERA_BAN_MIN_MS              60000
#define ERA_BAN_MAX_MS              3600000
#define ERA_BAN_MEMORY_MS           86400000 /* within a day the next ban is twice as long */
#define ERA_SILENCES_MAX            3        /* in a row; then the link leaves the active view */
#define ERA_BUDGET_STATEMENTS_BURST 32768    /* not accepted or not yet; accepted ones are given back */
#define ERA_BUDGET_STATEMENTS_PER_S 4096
#define ERA_BUDGET_TAUGHT_BURST     65536 /* asked for, and of no use yet: given back, and then… */
#define ERA_BUDGET_TAUGHT_PER_S     16384 /* …dropped, and not charged: a teacher does no wrong */
#define ERA_BUDGET_SHUFFLES_BURST   16 /* among them; honest peers send one in some 25 s */
#define ERA_BUDGET_SHUFFLES_PER_S   1
#define ERA_BUDGET_CHECKS_BURST     16   /* signatures of what was of no use, of one link, when all have spent… */
#define ERA_BUDGET_CHECKS_PER_S     4
#define ERA_CHECKS_BURST            8192 /* …these: what all of a large network says too late, and then… */
#define ERA_CHECKS_PER_S            2048 /* …a tenth of a core */
#define ERA_BUDGET_READING_BURST    512   /* read of one link for nothing, when all have spent… */
#define ERA_BUDGET_READING_PER_S    32    /* …so it rests: of as many links as there may be as much as all have */
#define ERA_BUDGET_READING_FIRST    64    /* …of a new one: to go and come again wins nothing */
#define ERA_READING_BURST           32768 /* …these: frames and parts of them that are no news… */
#define ERA_READING_PER_S           8192  /* …some hundredths of a core; and likewise… */
#define ERA_READING_BYTES           4096  /* …each time so many bytes */
#define ERA_LINK_REST_MS            10000 /* on end, without being read */
#define ERA_USEFUL_MS               60000 /* a link that brought news within is heard before others */
#define ERA_CHECKS_CHARGE_MS        1000 /* between two points for it: muted after a minute of it */
#define ERA_BUDGET_FRAMES_BURST     65536 /* each is a step of the node, however short */
#define ERA_BUDGET_FRAMES_PER_S     8192
#define ERA_BUDGET_BYTES_BURST      ((uint64_t)256 << 20)
#define ERA_BUDGET_BYTES_PER_S      ((uint64_t)32 << 20) /* five times what one core verifies */
#define ERA_BUDGET_REQUESTS_BURST   16384
#define ERA_BUDGET_REQUESTS_PER_S   1024
#define ERA_BUDGET_IDS_BURST        262144                 /* asked of us: all of a large set, and then… */
#define ERA_BUDGET_IDS_PER_S        16384                  /* …about 4 MB/s */
#define ERA_BUDGET_CELLS_BURST      ((uint64_t)4 * 262144) /* told: four rounds of the largest difference… */
#define ERA_BUDGET_CELLS_PER_S      65536                  /* …and then 700 kB/s */
#define ERA_BUDGET_PEERS_BURST      256                    /* words, walks, shuffles */
#define ERA_BUDGET_PEERS_PER_S      16

/* ---- overlay ---- */
#define ERA_OVERLAY_TARGET_DEFAULT   7 /* neighbours; fewer regraft too often (figures) */
#define ERA_OVERLAY_TARGET_MAX       32
#define ERA_OVERLAY_ROOM             3  /* neighbours above the target, for those who ask */
#define ERA_OVERLAY_DIALLED_MIN      3  /* places of the active view that only our own dials may fill */
#define ERA_OVERLAY_BLOCKED_MAX      32 /* blocked peers told the news beside the active view */
#define ERA_OVERLAY_BUCKETS          32 /* passive view: 32 * 4 = 128 records */
#define ERA_OVERLAY_WAYS             4
#define ERA_OVERLAY_GROUP_ACTIVE_MAX 2 /* of the active view, public addresses of one prefix */
#define ERA_OVERLAY_GROUPS_FEW       4
#define ERA_OVERLAY_WALK_HOPS        6
#define ERA_OVERLAY_SHUFFLE_MAX      8 /* records a message: about 1.2 kB */
#define ERA_OVERLAY_DIALS_MAX        3 /* at a time, besides those of anchors */
/* Places that were only told and never met: whoever tells them must not make us knock where it likes. */
#define ERA_OVERLAY_TOLD_DIALS 24   /* at once… */
#define ERA_OVERLAY_TOLD_MS    2000 /* …then one in so long */
#define ERA_OVERLAY_WALKS      128  /* passed on to one neighbour at once, half of what it takes of us… */
#define ERA_OVERLAY_WALK_MS    125  /* …then one in so long */
#define ERA_OVERLAY_TRIES_MAX  5    /* dials that fail in a row: the record is dropped */
#define ERA_RECORD_RENEW_MS    3600000  /* a node says so often anew where it can be dialled… */
#define ERA_RECORD_AGE_MAX_MS  86400000 /* …and its word holds for a day, as clocks may differ */

/* ---- control, signals, observers ---- */
#define ERA_CONTROL_BYTES_MAX     ((uint32_t)2 << 20)
#define ERA_CONTROL_PENDING_MAX   64
#define ERA_SIGNAL_BYTES_MAX      ((uint32_t)16384)
#define ERA_HTTP_HEADER_BYTES_MAX 8192
#define ERA_HTTP_CONNECTIONS_MAX  64
#define ERA_HTTP_DEADLINE_MS      10000

/* ---- trees (T2) ---- */
#define ERA_TREE_FILES_MAX      1000000
#define ERA_TREE_PATH_BYTES_MAX 4096
#define ERA_TREE_DEPTH_MAX      256

/* clang-format on */

#endif
