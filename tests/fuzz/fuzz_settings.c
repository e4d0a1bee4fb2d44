/* A text that people write: read as a charter and as erad.conf. A charter that
 * is read has canonical bytes, and written as a text it is the same charter. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/host/charter_text.h"
#include "src/host/config.h"
#include "tests/fuzz/fuzz.h"

static void refused(const struct era_error *err)
{
    assert(err->status != 0 && err->text[0] != '\0');
}

static void has_canonical_bytes(const struct era_charter *c)
{
    uint8_t *bytes;
    size_t len = era_charter_encode(c, &bytes);
    struct era_charter again;
    enum era_verdict verdict = era_charter_decode((struct era_bytes){bytes, len}, &again);
    assert(verdict == ERA_ACCEPTED && era_hash_eq(&c->hash, &again.hash));
    era_charter_clear(&again);
    free(bytes);
}

static void is_written_alike(const struct era_charter *c)
{
    struct era_error err = {0};
    struct era_charter again;
    char *text = era_charter_to_text(c);
    bool read = era_charter_from_text("written", text, strlen(text), &again, &err);
    assert(read && era_hash_eq(&c->hash, &again.hash));
    char *twice = era_charter_to_text(&again);
    assert(strcmp(text, twice) == 0);
    era_charter_clear(&again);
    free(twice);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct era_error err = {0};
    struct era_charter charter;
    if (era_charter_from_text("charter.txt", (const char *)data, size, &charter, &err)) {
        has_canonical_bytes(&charter);
        is_written_alike(&charter);
        era_charter_clear(&charter);
    } else {
        refused(&err);
    }

    struct era_config config;
    err = (struct era_error){0};
    if (era_config_from_text("/etc/erad/erad.conf", (const char *)data, size, &config, &err)) {
        assert(config.state_dir && config.charter && config.control && config.node_key && config.http);
        assert(config.listen.count <= ERA_LISTEN_MAX && config.peers.count <= ERA_PEERS_MAX);
        assert(strlen(config.control) <= ERA_SOCKET_PATH_BYTES_MAX);
        era_config_clear(&config);
    } else {
        refused(&err);
    }
    return 0;
}
