#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/textkey.h"
#include "src/host/charter_text.h"
#include "src/host/config.h"

#define MINIMAL "state_dir = \"state\";\n"

static struct era_config given_config(const char *text)
{
    struct era_config c;
    struct era_error err = {0};

    cr_assert(era_config_from_text("/etc/erad/erad.conf", text, strlen(text), &c, &err), "%s: %s", err.where,
              err.text);
    return c;
}

static void assert_refused(const char *text, const char *where, const char *says, const char *cure)
{
    struct era_config c;
    struct era_error err = {0};

    cr_assert_not(era_config_from_text("erad.conf", text, strlen(text), &c, &err), "it was read: %s", text);
    cr_expect_str_eq(err.text, says);
    cr_expect_str_eq(err.where, where);
    cr_expect_str_eq(err.cure, cure);
    cr_expect_eq(err.status, 78);
}

#define SEE       "; see erad.conf(5)"
#define PEER_CURE "write \"tcp://192.0.2.1:7711\", or that, # and the peer's node key" SEE
#define NODE_KEY  "erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqvs7usn"

Test(config, only_the_state_directory_is_required)
{
    struct era_config c = given_config(MINIMAL);

    cr_expect_str_eq(c.state_dir, "/etc/erad/state");
    cr_expect_str_eq(c.charter, "/etc/erad/state/charter.bin");
    cr_expect_str_eq(c.control, "/etc/erad/state/control.sock");
    cr_expect_str_eq(c.node_key, "/etc/erad/state/node.key");
    cr_expect_str_eq(c.http, "127.0.0.1:7712");
    cr_expect_null(c.validator_key);
    cr_expect_null(c.hook);
    cr_expect_null(c.advertise);
    cr_expect_eq(c.listen.count, 0);
    cr_expect_eq(c.peers.count, 0);
    cr_expect_eq(c.neighbours, 7);
    cr_expect(c.all_artefacts);
    cr_expect_str_empty(c.versions.v[ERA_VERSION_SOFTWARE]);
    cr_expect_str_empty(c.staged.v[ERA_VERSION_SOFTWARE]);
    cr_expect_eq(c.on_blocked, ERA_ON_BLOCKED_STAY);
    cr_expect(c.auto_ready.announced && c.auto_ready.dropped && c.auto_ready.soft && !c.auto_ready.breaking);
    cr_expect_not(c.log_debug);
    cr_expect_eq(c.store_bytes, 1073741824);
    era_config_clear(&c);
}

Test(config, M1_every_setting_reaches_its_field)
{
    struct era_config c = given_config(
        "state_dir = \"/var/lib/erad\"; charter = \"charter.txt\"; control = \"/run/c.sock\"; node_key = "
        "\"n.key\";\n"
        "listen = [ \"tcp://0.0.0.0:7711\", \"tcp://[::1]:7711\", \"ipc:///run/erad/gossip.sock\" ];\n"
        "peers = [ \"tcp://node-2.example.org:7711\" ]; advertise = \"tcp://192.0.2.1:7711\"; http = \"\";\n"
        "neighbours = 9;\n"
        "validator_key = \"keys/v.key\"; hook = \"/etc/erad/hook\"; on_blocked = \"exit\"; log = \"debug\";\n"
        "versions : { distribution = \"1.0.0\"; software = \"2.0.0\"; api = \"3.0.0\"; database = "
        "\"4.0.0\";\n"
        "  protocol = \"5.0.0\"; };\n"
        "staged : { software = \"2.1.0-rc.1\"; };\n"
        "artefacts = [ \"linux-amd64\" ]; auto_ready = [ \"breaking\", \"dropped\" ]; store_bytes = "
        "\"8589934592\";\n");

    cr_expect_str_eq(c.state_dir, "/var/lib/erad");
    cr_expect_str_eq(c.charter, "/etc/erad/charter.txt");
    cr_expect_str_eq(c.control, "/run/c.sock");
    cr_expect_str_eq(c.node_key, "/etc/erad/n.key");
    cr_assert_eq(c.listen.count, 3);
    cr_expect_str_eq(c.listen.items[1], "tcp://[::1]:7711");
    cr_assert_eq(c.peers.count, 1);
    cr_expect_str_eq(c.peers.items[0], "tcp://node-2.example.org:7711");
    cr_expect_str_eq(c.advertise, "tcp://192.0.2.1:7711");
    cr_expect_str_empty(c.http);
    cr_expect_eq(c.neighbours, 9);
    cr_expect_str_eq(c.validator_key, "/etc/erad/keys/v.key");
    cr_expect_str_eq(c.hook, "/etc/erad/hook");
    cr_expect_eq(c.on_blocked, ERA_ON_BLOCKED_EXIT);
    cr_expect(c.log_debug);
    cr_expect_str_eq(c.versions.v[ERA_VERSION_DISTRIBUTION], "1.0.0");
    cr_expect_str_eq(c.versions.v[ERA_VERSION_SOFTWARE], "2.0.0");
    cr_expect_str_eq(c.versions.v[ERA_VERSION_API], "3.0.0");
    cr_expect_str_eq(c.versions.v[ERA_VERSION_DATABASE], "4.0.0");
    cr_expect_str_eq(c.versions.v[ERA_VERSION_PROTOCOL], "5.0.0");
    cr_expect_str_eq(c.staged.v[ERA_VERSION_SOFTWARE], "2.1.0-rc.1");
    cr_expect_not(c.all_artefacts);
    cr_assert_eq(c.artefacts.count, 1);
    cr_expect_str_eq(c.artefacts.items[0], "linux-amd64");
    cr_expect(!c.auto_ready.announced && c.auto_ready.dropped && !c.auto_ready.soft && c.auto_ready.breaking);
    cr_expect_eq(c.store_bytes, 8589934592);
    era_config_clear(&c);
}

Test(config, an_unknown_setting_is_refused_with_the_nearest_name)
{
    assert_refused(MINIMAL "\nlistn = [ ];\n", "erad.conf:3",
                   "unknown setting `listn`; did you mean `listen`?", "correct or remove it" SEE);
    assert_refused(MINIMAL "versions : { sofware = \"1.0.0\"; };\n", "erad.conf:2",
                   "unknown setting `sofware`; did you mean `software`?", "correct or remove it" SEE);
}

Test(config, a_wrong_value_says_why_and_what_to_write)
{
    assert_refused(MINIMAL "listen = \"tcp://0.0.0.0:7711\";", "erad.conf:2",
                   "setting `listen` must be texts in square brackets",
                   "write it like [ \"one\", \"two\" ]" SEE);
    assert_refused(MINIMAL "peers = [\n\"tcp://a:7711\",\n\"tcp://b\" ];", "erad.conf:4",
                   "setting `peers`, element 2: after tcp:// comes HOST:PORT", PEER_CURE);
    assert_refused(MINIMAL "peers = [ 7711 ];", "erad.conf:2", "setting `peers` must hold texts in quotes",
                   PEER_CURE);
    assert_refused(MINIMAL "peers = [ \"tcp://h:65536\" ];", "erad.conf:2",
                   "setting `peers`, element 1: after tcp:// comes HOST:PORT", PEER_CURE);
    assert_refused(MINIMAL "advertise = \"udp://h:1\";", "erad.conf:2",
                   "setting `advertise`: an address begins with tcp:// or ipc:///",
                   "write \"tcp://192.0.2.1:7711\"" SEE);
    assert_refused(MINIMAL "http = \"7712\";", "erad.conf:2", "setting `http`: it is not HOST:PORT",
                   "write \"127.0.0.1:7712\", or \"\" for off" SEE);
    assert_refused(MINIMAL "on_blocked = \"die\";", "erad.conf:2", "setting `on_blocked`: there are two ways",
                   "write \"stay\" or \"exit\"" SEE);
    assert_refused(MINIMAL "auto_ready = [ \"all\" ];", "erad.conf:2",
                   "setting `auto_ready`, element 1: there are four kinds",
                   "write some of announced, dropped, soft, breaking" SEE);
    assert_refused(MINIMAL "log = \"trace\";", "erad.conf:2", "setting `log`: there are two levels",
                   "write \"info\" or \"debug\"" SEE);
    assert_refused(MINIMAL "store_bytes = 1073741824;", "erad.conf:2",
                   "setting `store_bytes` must be a decimal number in quotes", "write it like \"100\"" SEE);
    assert_refused(MINIMAL "store_bytes = \"4096\";", "erad.conf:2",
                   "setting `store_bytes` must be plain digits, 1048576 to 17592186044416",
                   "write \"1073741824\" for 1 GiB" SEE);
    assert_refused(MINIMAL "versions : { api = \"1.0\"; };", "erad.conf:2",
                   "setting `api`: it needs three numbers, MAJOR.MINOR.PATCH", "write \"1.0.0\"" SEE);
    assert_refused("listen = [ ];", "erad.conf", "setting `state_dir` is missing here", "write a path" SEE);
    assert_refused(MINIMAL "state_dir = \"x\";", "erad.conf:2", "duplicate setting: state_dir = \"x\";",
                   "give it once" SEE);
}

Test(config, a_peer_may_be_pinned_to_its_node_key)
{
    char key[ERA_KEY_TEXT_BYTES];
    struct era_config c =
        given_config(MINIMAL "peers = [ \"tcp://a:7711#" NODE_KEY "\", \"tcp://[::1]:7711\",\n"
                             "\"ipc:///run/x#" NODE_KEY "\", \"tcp://a:7711#" NODE_KEY "\" ];");

    cr_assert_eq(c.peers.count, 4);
    cr_expect_str_eq(c.peers.items[0], "tcp://a:7711");
    cr_expect_str_eq(c.peers.items[2], "ipc:///run/x");
    cr_assert_not_null(c.peer_keys[0]);
    cr_expect_str_eq(era_key_text(c.peer_keys[0], key), NODE_KEY);
    cr_expect_null(c.peer_keys[1]);
    cr_assert_not_null(c.peer_keys[2]);
    era_config_clear(&c);
}

Test(config, a_pinned_key_that_is_none_is_refused_and_a_secret_one_never_shown)
{
    static const char *const keys[] = {
        "",       "erapub1qqq", "erapub16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqvs7usq",
        "52fd..", NODE_KEY " ", "#" NODE_KEY "x"};
    char text[512];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(text, sizeof text, MINIMAL "peers = [ \"tcp://192.0.2.1:7711#%s\" ];", keys[i]);
        assert_refused(
            text, "erad.conf:2",
            i < 5 ? "setting `peers`, element 1: after # comes a node key, erapub1..., without a mistake"
                  : "setting `peers`, element 1: after tcp:// comes HOST:PORT",
            PEER_CURE);
    }
    assert_refused(MINIMAL "peers = [ \"tcp://192.0.2.1:7711#erasec1abc\" ];", "erad.conf:2",
                   "setting `peers`, element 1: after # stands a secret key; a node key begins with erapub1",
                   PEER_CURE);
    assert_refused(MINIMAL "peers = [ \"tcp://b#" NODE_KEY "\" ];", "erad.conf:2",
                   "setting `peers`, element 1: after tcp:// comes HOST:PORT", PEER_CURE);
    assert_refused(MINIMAL "listen = [ \"tcp://192.0.2.1:7711#" NODE_KEY "\" ];", "erad.conf:2",
                   "setting `listen`, element 1: after tcp:// comes HOST:PORT",
                   "write \"tcp://192.0.2.1:7711\"" SEE);
}

Test(config, an_address_that_is_pinned_once_and_once_not_is_refused)
{
    assert_refused(MINIMAL "peers = [ \"tcp://a:1\",\n\"tcp://b:1\",\n\"tcp://a:1#" NODE_KEY "\" ];",
                   "erad.conf:4", "setting `peers`: tcp://a:1 stands there twice, not with one node key",
                   "name each address once" SEE);
}

Test(config, a_socket_path_that_no_socket_can_have_is_refused)
{
    assert_refused("state_dir = \"/0123456789012345678901234567890123456789012345678901234567890123456789/"
                   "012345678901234567890123\";",
                   "erad.conf:1", "the control socket's path has 109 bytes, and a socket's at most 107",
                   "set `control` to a shorter path, such as \"/run/erad/control.sock\"" SEE);
}

Test(config, paths_start_at_the_file)
{
    struct era_config c;
    struct era_error err = {0};

    cr_assert(era_config_from_text("erad.conf", MINIMAL, strlen(MINIMAL), &c, &err));
    cr_expect_str_eq(c.state_dir, "state");
    era_config_clear(&c);
    cr_assert(era_config_from_text("/erad.conf", MINIMAL, strlen(MINIMAL), &c, &err));
    cr_expect_str_eq(c.state_dir, "//state");
    era_config_clear(&c);
}

Test(config, C4_the_example_is_a_configuration)
{
    char path[4096];
    struct era_config c;
    struct era_error err = {0};
    const char *src = getenv("ERA_SRC");

    snprintf(path, sizeof path, "%s/contrib/examples/erad.conf", src ? src : ".");
    cr_assert(era_config_load(path, &c, &err), "%s: %s", err.where, err.text);
    cr_expect_str_eq(c.state_dir, "/var/lib/erad");
    era_config_clear(&c);
    cr_expect_not(era_config_load("/nowhere/erad.conf", &c, &err));
    cr_expect_eq(err.status, 66);
    cr_expect_str_eq(err.where, "/nowhere/erad.conf");
}

/* ---- every setting is in its manual page, and the page names no other ---- */

static size_t names_documented(const char *page, const struct era_setting_rule *rules)
{
    size_t n = 0;
    char item[128];

    for (; rules->name; rules++) {
        snprintf(item, sizeof item, "\n.It Ic %s", rules->name);
        cr_expect(strstr(page, item), "the page does not name `%s`", rules->name);
        n += 1 + (rules->members ? names_documented(page, rules->members) : 0);
    }
    return n;
}

static bool name_known(const struct era_setting_rule *rules, const char *name, size_t len)
{
    for (; rules->name; rules++) {
        if ((strlen(rules->name) == len && strncmp(rules->name, name, len) == 0) ||
            (rules->members && name_known(rules->members, name, len)))
            return true;
    }
    return false;
}

static void assert_documented(const char *file, const struct era_setting_rule *rules, size_t names_at_least)
{
    char path[4096], page[65536];
    const char *src = getenv("ERA_SRC");
    FILE *from;
    size_t n;

    snprintf(path, sizeof path, "%s/doc/%s", src ? src : ".", file);
    from = fopen(path, "r");
    cr_assert_not_null(from, "%s", path);
    n = fread(page, 1, sizeof page - 1, from);
    fclose(from);
    page[n] = '\0';
    cr_expect_geq(names_documented(page, rules), names_at_least);
    for (const char *at = page; (at = strstr(at, "\n.It Ic ")); at++) {
        size_t len = strcspn(at + 8, " \n");

        cr_expect(name_known(rules, at + 8, len), "the page names `%.*s`, which is no setting", (int)len,
                  at + 8);
    }
}

Test(config, every_setting_is_documented)
{
    assert_documented("erad.conf.5", era_config_rules, 28);
}

Test(charter_text, every_setting_is_documented)
{
    assert_documented("erad-charter.5", era_charter_rules, 50);
}
