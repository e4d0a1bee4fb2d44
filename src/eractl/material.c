/* Gathering what a signer must know: from the daemon, or from a file that was
 * carried over. Nothing is believed here; network.c verifies it. */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "src/eractl/daemon.h"
#include "src/eractl/network.h"
#include "src/eractl/print.h"
#include "src/host/files.h"

#define MATERIAL_SCHEMA    "erad.material/1"
#define MATERIAL_BYTES_MAX ((size_t)8 << 20)

void era_material_clear(struct era_material *m)
{
    if (!m)
        return;
    free(m->charter.data);
    free(m->head.data);
    free(m->proposal.data);
    for (size_t i = 0; i < m->other_count; i++)
        free(m->others[i].data);
    json_decref(m->proposal_json);
    memset(m, 0, sizeof *m);
}

/* ---- from the daemon ---- */

static void take_data(const struct era_answer *a, struct era_blob *out)
{
    size_t len = a->response.data.len;
    if (len == 0)
        return;
    out->data = malloc(len);
    assert(out->data);
    memcpy(out->data, a->response.data.data, len);
    out->len = len;
}

static int fetch_proposal(const struct era_cli *cli, const char *id, struct era_material *m)
{
    struct era_answer a;
    int status = era_ask(cli, &(struct era_request){.verb = "show", .id = id}, &a);
    if (status != 0)
        return status;
    json_t *proposal = json_object_get(a.json, "proposal");
    snprintf(m->component, sizeof m->component, "%s", era_json_text(proposal, "component"));
    m->proposal_json = json_incref(proposal);
    take_data(&a, &m->proposal);
    era_answer_clear(&a);
    return 0;
}

static int fetch_head(const struct era_cli *cli, struct era_material *m)
{
    struct era_answer a;
    int status = era_ask(cli, &(struct era_request){.verb = "head", .component = m->component}, &a);
    if (status != 0)
        return status;
    m->epoch = (uint64_t)era_json_int(a.json, "epoch", 0);
    m->next_seq = (uint64_t)era_json_int(a.json, "next_seq", 0);
    take_data(&a, &m->head);
    era_answer_clear(&a);
    return 0;
}

static int fetch_charter(const struct era_cli *cli, struct era_material *m)
{
    struct era_answer a;
    int status = era_ask(cli, &(struct era_request){.verb = "charter"}, &a);
    if (status != 0)
        return status;
    take_data(&a, &m->charter);
    era_answer_clear(&a);
    return 0;
}

/* The other proposals of the component: a plan in flight binds who signed it. */
static int fetch_others(const struct era_cli *cli, struct era_material *m)
{
    struct era_answer a, one;
    int status = era_ask(cli, &(struct era_request){.verb = "proposals"}, &a);
    if (status != 0)
        return status;
    const char *own = era_json_text(m->proposal_json, "id");
    json_t *list = json_object_get(a.json, "proposals");
    for (size_t i = 0; i < json_array_size(list) && m->other_count < ERA_OTHERS_MAX; i++) {
        json_t *p = json_array_get(list, i);
        const char *id = era_json_text(p, "id");
        if (strcmp(era_json_text(p, "component"), m->component) != 0 || strcmp(id, own) == 0)
            continue;
        /* It may have gone meanwhile: then it is no concern any more. */
        if (era_ask_quietly(cli, &(struct era_request){.verb = "show", .id = id}, &one) == 0 &&
            one.response.data.len > 0)
            take_data(&one, &m->others[m->other_count++]);
        era_answer_clear(&one);
    }
    era_answer_clear(&a);
    return 0;
}

int era_material_fetch(const struct era_cli *cli, const char *component, const char *id,
                       struct era_material *out)
{
    memset(out, 0, sizeof *out);
    snprintf(out->component, sizeof out->component, "%s", component ? component : "network");
    int status = id ? fetch_proposal(cli, id, out) : 0;
    if (status == 0)
        status = fetch_charter(cli, out);
    if (status == 0)
        status = fetch_head(cli, out);
    if (status == 0)
        status = fetch_others(cli, out);
    if (status != 0)
        era_material_clear(out);
    return status;
}

/* ---- from and to a file ---- */

static json_t *to_base64(const struct era_blob *b)
{
    if (b->len == 0)
        return json_null();
    size_t size = sodium_base64_encoded_len(b->len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);
    assert(text);
    sodium_bin2base64(text, size, b->data, b->len, sodium_base64_VARIANT_ORIGINAL);
    json_t *out = json_string(text);
    free(text);
    return out;
}

/* Absent and null are empty; false for anything else that is no base64. */
static bool from_base64(const json_t *value, struct era_blob *out)
{
    if (!value || json_is_null(value))
        return true;
    const char *text = json_string_value(value);
    if (!text || !*text)
        return false;
    size_t size = strlen(text);
    out->data = malloc(size);
    assert(out->data);
    return sodium_base642bin(out->data, size, text, size, "\n", &out->len, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0;
}

static bool read_number(const json_t *o, const char *key, uint64_t *out)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return *out <= ERA_EPOCH_MAX;
}

static bool read_fields(const json_t *o, struct era_material *out)
{
    const json_t *others = json_object_get(o, "others");
    if (strcmp(era_json_text(o, "schema"), MATERIAL_SCHEMA) != 0 ||
        !era_text_set(out->component, sizeof out->component, era_json_text(o, "component")) ||
        !*out->component || !read_number(o, "epoch", &out->epoch) ||
        !read_number(o, "next_seq", &out->next_seq) ||
        !from_base64(json_object_get(o, "charter"), &out->charter) || out->charter.len == 0 ||
        !from_base64(json_object_get(o, "head"), &out->head) ||
        !from_base64(json_object_get(o, "proposal"), &out->proposal) ||
        json_array_size(others) > ERA_OTHERS_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(others); i++)
        if (!from_base64(json_array_get(others, i), &out->others[out->other_count++]))
            return false;
    return true;
}

int era_material_read(const struct era_cli *cli, const char *path, struct era_material *out)
{
    struct era_error err;
    uint8_t *bytes;
    size_t len;
    memset(out, 0, sizeof *out);
    int rc = era_file_read(path, MATERIAL_BYTES_MAX, &bytes, &len);
    if (rc != 0) {
        era_error_errno(&err, rc, path, "read the material");
        return era_fail_error(cli, &err);
    }
    json_t *o = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_object(o) && read_fields(o, out);
    json_decref(o);
    free(bytes);
    if (ok)
        return 0;
    era_material_clear(out);
    return era_fail(cli, ERA_EXIT_DATA, "malformed", path,
                    "make it again with `eractl show ID --export FILE` or `eractl propose --export FILE`",
                    "this is no material that eractl exported");
}

int era_material_write(const struct era_cli *cli, const char *path, const struct era_material *m)
{
    struct era_error err;
    json_t *others = json_array();
    for (size_t i = 0; i < m->other_count; i++)
        json_array_append_new(others, to_base64(&m->others[i]));
    json_t *o = json_pack("{s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:o}", "schema", MATERIAL_SCHEMA, "component",
                          m->component, "epoch", (json_int_t)m->epoch, "next_seq", (json_int_t)m->next_seq,
                          "charter", to_base64(&m->charter), "head", to_base64(&m->head), "proposal",
                          to_base64(&m->proposal), "others", others);
    char *text = json_dumps(o, JSON_INDENT(1));
    assert(text);
    int rc = era_file_write(path, text, strlen(text), 0644);
    free(text);
    json_decref(o);
    if (rc == 0)
        return 0;
    era_error_errno(&err, rc, path, "write the material");
    return era_fail_error(cli, &err);
}
