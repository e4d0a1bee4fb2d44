/* A node's word on its address: only its own key makes one that fits. */
#include <criterion/criterion.h>
#include <sodium.h>

#include "src/core/author.h"
#include "src/core/verify.h"

Test(peer_record, what_a_node_key_signs_fits_and_nothing_else_does)
{
    struct era_hash network = {{7}}, other = {{8}};
    struct era_secret node = {0};
    struct era_place place;
    uint8_t seed[crypto_sign_SEEDBYTES] = {1};
    crypto_sign_seed_keypair(node.key.b, node.secret, seed);
    cr_assert(era_place_parse("tcp://192.0.2.1:7711", &place));
    struct era_peer_record r = era_author_peer_record(&network, &place, 5, &node);
    cr_assert(era_key_eq(&r.node, &node.key));
    cr_assert_eq(r.made_ms, 5);
    struct era_hash digest = era_peer_record_digest(&network, &r);
    cr_assert(era_signature_fits(&r.node, &digest, &r.signature));
    struct era_hash elsewhere = era_peer_record_digest(&other, &r);
    cr_assert_not(era_signature_fits(&r.node, &elsewhere, &r.signature), "of another network");
    r.place.port = 7712;
    digest = era_peer_record_digest(&network, &r);
    cr_assert_not(era_signature_fits(&r.node, &digest, &r.signature));
}

Test(peer_record, a_key_of_small_order_signs_nothing)
{
    /* The neutral point: any message would do for a careless reader. */
    struct era_key key = {{1}};
    struct era_signature signature = {{1}};
    struct era_hash digest = {{9}};
    cr_assert_not(era_signature_fits(&key, &digest, &signature));
}
