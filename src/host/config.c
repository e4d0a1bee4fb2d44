#include "src/host/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fraction.h"
#include "src/base/semver.h"
#include "src/base/textkey.h"
#include "src/host/files.h"

typedef const struct config_setting_t setting;

/* ---- texts that are more than text ---- */

/* HOST:PORT, HOST being a name, an IPv4 address, or an IPv6 address in brackets. */
static bool host_port_valid(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t host = colon ? (size_t)(colon - text) : 0;
    uint64_t port;

    if (!host || !era_u64_parse(colon + 1, 65535, &port))
        return false;
    if (text[0] == '[')
        return host > 2 && text[host - 1] == ']' && strspn(text + 1, "0123456789abcdefABCDEF:.%") == host - 2;
    return strcspn(text, ":/[]@ ") == host;
}

static const char *address_why(const char *text)
{
    if (strlen(text) > ERA_ADDRESS_BYTES_MAX)
        return "it is longer than 128 bytes";
    if (strncmp(text, "tcp://", 6) == 0)
        return host_port_valid(text + 6) ? NULL : "after tcp:// comes HOST:PORT";
    if (strncmp(text, "ipc:///", 7) == 0)
        return strlen(text + 6) <= ERA_SOCKET_PATH_BYTES_MAX ? NULL : "a socket's path has at most 107 bytes";
    return "an address begins with tcp:// or ipc:///";
}

/* The address of a peer, without the key that is pinned to it. False: it is too long. */
static bool peer_address(const char *text, char out[ERA_ADDRESS_BYTES_MAX + 1])
{
    const char *mark = strrchr(text, '#');
    size_t len = mark ? (size_t)(mark - text) : strlen(text);

    if (len > ERA_ADDRESS_BYTES_MAX)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static const char *node_key_why(const char *text)
{
    struct era_key key;

    if (strncmp(text, ERA_SEED_PREFIX "1", strlen(ERA_SEED_PREFIX) + 1) == 0)
        return "after # stands a secret key; a node key begins with erapub1";
    switch (era_key_from_text(text, &key, NULL)) {
    case ERA_ACCEPTED:
        return NULL;
    case ERA_SMALL_ORDER_KEY:
        return "the key after # can be nobody's";
    default:
        return "after # comes a node key, erapub1..., without a mistake";
    }
}

/* ADDRESS, or ADDRESS#KEY. */
static const char *peer_why(const char *text)
{
    char address[ERA_ADDRESS_BYTES_MAX + 1];
    const char *mark = strrchr(text, '#');

    if (!mark || !peer_address(text, address))
        return address_why(text);
    return address_why(address) ? address_why(address) : node_key_why(mark + 1);
}

static const char *http_why(const char *text)
{
    return !*text || host_port_valid(text) ? NULL : "it is not HOST:PORT";
}

static const char *path_why(const char *text)
{
    return *text ? NULL : "the path is empty";
}

static const char *on_blocked_why(const char *text)
{
    return strcmp(text, "stay") == 0 || strcmp(text, "exit") == 0 ? NULL : "there are two ways";
}

static const char *log_why(const char *text)
{
    return strcmp(text, "info") == 0 || strcmp(text, "debug") == 0 ? NULL : "there are two levels";
}

static const char *const auto_ready_kinds[] = {"announced", "dropped", "soft", "breaking"};

static const char *auto_ready_why(const char *text)
{
    for (size_t i = 0; i < sizeof auto_ready_kinds / sizeof *auto_ready_kinds; i++) {
        if (strcmp(text, auto_ready_kinds[i]) == 0)
            return NULL;
    }
    return "there are four kinds";
}

/* ---- schema ---- */

#define PATH    .type = ERA_SETTING_TEXT, .min = 1, .max = 4095, .why = path_why, .cure = "write a path"
#define ADDRESS .why = address_why, .cure = "write \"tcp://192.0.2.1:7711\""
#define VERSION                                                                                              \
    .type = ERA_SETTING_TEXT, .max = ERA_VERSION_BYTES_MAX, .why = era_semver_why, .cure = "write \"1.0.0\""
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

static const struct era_setting_rule versions_rules[] = {
    {.name = "distribution", VERSION}, {.name = "software", VERSION}, {.name = "api", VERSION},
    {.name = "database", VERSION},     {.name = "protocol", VERSION}, END};

const struct era_setting_rule era_config_rules[] = {
    {.name = "state_dir", PATH, .required = true},
    {.name = "charter", PATH},
    {.name = "listen", .type = ERA_SETTING_ARRAY, .max = ERA_LISTEN_MAX, ADDRESS},
    {.name = "peers",
     .type = ERA_SETTING_ARRAY,
     .max = ERA_PEERS_MAX,
     .why = peer_why,
     .cure = "write \"tcp://192.0.2.1:7711\", or that, # and the peer's node key"},
    {.name = "advertise", .type = ERA_SETTING_TEXT, ADDRESS},
    {.name = "neighbours",
     .type = ERA_SETTING_NUMBER,
     .max = ERA_OVERLAY_TARGET_MAX,
     .cure = "write 7, or 0 to dial only `peers`"},
    {.name = "control", PATH},
    {.name = "http",
     .type = ERA_SETTING_TEXT,
     .why = http_why,
     .cure = "write \"127.0.0.1:7712\", or \"\" for off"},
    {.name = "validator_key", PATH},
    {.name = "node_key", PATH},
    {.name = "versions", .type = ERA_SETTING_GROUP, .members = versions_rules},
    {.name = "staged", .type = ERA_SETTING_GROUP, .members = versions_rules},
    {.name = "artefacts",
     .type = ERA_SETTING_ARRAY,
     .max = ERA_ARTEFACTS_MAX,
     .why = era_setting_name_why,
     .cure = "name artefacts of the plan"},
    {.name = "hook", PATH},
    {.name = "on_blocked",
     .type = ERA_SETTING_TEXT,
     .why = on_blocked_why,
     .cure = "write \"stay\" or \"exit\""},
    {.name = "auto_ready",
     .type = ERA_SETTING_ARRAY,
     .max = 4,
     .why = auto_ready_why,
     .cure = "write some of announced, dropped, soft, breaking"},
    {.name = "log", .type = ERA_SETTING_TEXT, .why = log_why, .cure = "write \"info\" or \"debug\""},
    {.name = "store_bytes",
     .type = ERA_SETTING_DECIMAL,
     .min = (uint64_t)1 << 20,
     .max = (uint64_t)1 << 44,
     .cure = "write \"1073741824\" for 1 GiB"},
    END};

static const struct era_settings_form config_form = {.rules = era_config_rules,
                                                     .page = "erad.conf(5)",
                                                     .status = ERA_EXIT_CONFIG,
                                                     .bytes_max = ERA_CONFIG_BYTES_MAX};

/* ---- settings -> struct: the schema has passed ---- */

static char *text_copy(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    assert(copy || !text);
    return copy;
}

/* name inside folder, unless it is absolute. */
static char *path_join(const char *folder, const char *name)
{
    char *path;
    int n = name[0] == '/' || !*folder ? asprintf(&path, "%s", name) : asprintf(&path, "%s/%s", folder, name);

    assert(n >= 0);
    (void)n;
    return path;
}

/* "" for a file in the working directory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == path ? strdup("/") : strndup(path, slash ? (size_t)(slash - path) : 0);

    assert(folder);
    return folder;
}

static struct era_texts texts_read(setting *array)
{
    struct era_texts t = {.count = era_setting_count(array)};

    t.items = calloc(t.count + 1, sizeof *t.items);
    assert(t.items);
    for (size_t i = 0; i < t.count; i++)
        t.items[i] = text_copy(era_setting_own_text(era_setting_at(array, i)));
    return t;
}

static void peers_read(setting *array, struct era_config *c)
{
    c->peers = texts_read(array);
    c->peer_keys = calloc(c->peers.count + 1, sizeof *c->peer_keys);
    assert(c->peer_keys);
    for (size_t i = 0; i < c->peers.count; i++) {
        char *mark = strrchr(c->peers.items[i], '#');

        if (!mark)
            continue;
        c->peer_keys[i] = calloc(1, sizeof **c->peer_keys);
        assert(c->peer_keys[i]);
        era_key_from_text(mark + 1, c->peer_keys[i], NULL);
        *mark = '\0';
    }
}

static bool same_pin(const struct era_key *a, const struct era_key *b)
{
    return a && b ? era_key_eq(a, b) : a == b;
}

/* An address that stands twice must say the same of who is there: or one pin would be none. */
static bool peers_agree(const struct era_settings *s, const struct era_config *c, struct era_error *err)
{
    for (size_t i = 0; i < c->peers.count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(c->peers.items[i], c->peers.items[k]) == 0 &&
                !same_pin(c->peer_keys[i], c->peer_keys[k]))
                return era_setting_refuse(
                    s, era_setting_at(era_setting_member(era_settings_root(s), "peers"), i), err,
                    "name each address once", "setting `peers`: %s stands there twice, not with one node key",
                    c->peers.items[i]);
    return true;
}

static void versions_read(setting *group, struct era_versions *out)
{
    for (size_t i = 0; i < ERA_VERSION_KINDS; i++)
        era_text_set(out->v[i], sizeof out->v[i], era_setting_text(group, era_version_kind_names[i], ""));
}

static struct era_auto_ready auto_ready_read(setting *array)
{
    struct era_auto_ready ready = {.announced = true, .dropped = true, .soft = true};
    bool *const kinds[] = {&ready.announced, &ready.dropped, &ready.soft, &ready.breaking};

    for (size_t k = 0; array && k < sizeof kinds / sizeof *kinds; k++) {
        *kinds[k] = false;
        for (size_t i = 0; i < era_setting_count(array); i++)
            *kinds[k] |= strcmp(era_setting_own_text(era_setting_at(array, i)), auto_ready_kinds[k]) == 0;
    }
    return ready;
}

/* A path setting, or name inside the state directory; NULL when neither is given. */
static char *path_read(setting *root, const char *folder, const char *setting_name, const char *state_dir,
                       const char *name)
{
    const char *path = era_setting_text(root, setting_name, NULL);

    if (path)
        return path_join(folder, path);
    return name ? path_join(state_dir, name) : NULL;
}

static void config_read_root(setting *root, const char *folder, struct era_config *c)
{
    c->state_dir = path_join(folder, era_setting_text(root, "state_dir", ""));
    c->charter = path_read(root, folder, "charter", c->state_dir, "charter.bin");
    c->control = path_read(root, folder, "control", c->state_dir, "control.sock");
    c->node_key = path_read(root, folder, "node_key", c->state_dir, "node.key");
    c->validator_key = path_read(root, folder, "validator_key", NULL, NULL);
    c->hook = path_read(root, folder, "hook", NULL, NULL);
    c->advertise = text_copy(era_setting_text(root, "advertise", NULL));
    c->http = text_copy(era_setting_text(root, "http", "127.0.0.1:7712"));
    c->listen = texts_read(era_setting_member(root, "listen"));
    peers_read(era_setting_member(root, "peers"), c);
    c->neighbours = (size_t)era_setting_u64(root, "neighbours", ERA_OVERLAY_TARGET_DEFAULT);
    versions_read(era_setting_member(root, "versions"), &c->versions);
    versions_read(era_setting_member(root, "staged"), &c->staged);
    c->all_artefacts = !era_setting_member(root, "artefacts");
    c->artefacts = texts_read(era_setting_member(root, "artefacts"));
    c->on_blocked = strcmp(era_setting_text(root, "on_blocked", "stay"), "exit") == 0 ? ERA_ON_BLOCKED_EXIT
                                                                                      : ERA_ON_BLOCKED_STAY;
    c->auto_ready = auto_ready_read(era_setting_member(root, "auto_ready"));
    c->log_debug = strcmp(era_setting_text(root, "log", "info"), "debug") == 0;
    c->store_bytes = era_setting_u64(root, "store_bytes", ERA_STORE_BYTES_DEFAULT);
}

bool era_config_from_text(const char *path, const char *text, size_t len, struct era_config *out,
                          struct era_error *err)
{
    struct era_settings *s = era_settings_parse(&config_form, path, text, len, err);
    struct era_config c = {0};
    char *folder = folder_of(path);
    bool fine = s != NULL;

    if (s) {
        config_read_root(era_settings_root(s), folder, &c);
        fine = peers_agree(s, &c, err);
        if (fine && strlen(c.control) > ERA_SOCKET_PATH_BYTES_MAX) {
            setting *at = era_setting_member(era_settings_root(s), "control");

            fine = era_setting_refuse(s, at ? at : era_setting_member(era_settings_root(s), "state_dir"), err,
                                      "set `control` to a shorter path, such as \"/run/erad/control.sock\"",
                                      "the control socket's path has %zu bytes, and a socket's at most %d",
                                      strlen(c.control), ERA_SOCKET_PATH_BYTES_MAX);
        }
    }
    if (fine)
        *out = c;
    else
        era_config_clear(&c);
    era_settings_free(s);
    free(folder);
    return fine;
}

bool era_config_load(const char *path, struct era_config *out, struct era_error *err)
{
    uint8_t *data;
    size_t len;
    int rc = era_file_read(path, ERA_CONFIG_BYTES_MAX, &data, &len);
    bool fine;

    if (rc < 0)
        return era_error_errno(err, rc, path, "read the configuration");
    fine = era_config_from_text(path, (const char *)data, len, out, err);
    free(data);
    return fine;
}

static void texts_clear(struct era_texts *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->items[i]);
    free(t->items);
}

void era_config_clear(struct era_config *c)
{
    if (!c)
        return;
    free(c->state_dir);
    free(c->charter);
    free(c->control);
    free(c->node_key);
    free(c->validator_key);
    free(c->hook);
    free(c->advertise);
    free(c->http);
    texts_clear(&c->listen);
    for (size_t i = 0; i < c->peers.count; i++)
        free(c->peer_keys[i]);
    free(c->peer_keys);
    texts_clear(&c->peers);
    texts_clear(&c->artefacts);
    memset(c, 0, sizeof *c);
}
