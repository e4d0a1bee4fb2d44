#include "p2p/link_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int nng, negative;
} errnos[] = {
    {0, 0},
    {NNG_EINTR, -EINTR},
    {NNG_ENOMEM, -ENOMEM},
    {NNG_EINVAL, -EINVAL},
    {NNG_EBUSY, -EBUSY},
    {NNG_ETIMEDOUT, -ETIMEDOUT},
    {NNG_ECONNREFUSED, -ECONNREFUSED},
    {NNG_ECLOSED, -ECONNRESET},
    {NNG_EAGAIN, -EAGAIN},
    {NNG_ENOTSUP, -ENOTSUP},
    {NNG_EADDRINUSE, -EADDRINUSE},
    {NNG_ENOENT, -ENOENT},
    {NNG_EUNREACHABLE, -EHOSTUNREACH},
    {NNG_EADDRINVAL, -EADDRNOTAVAIL},
    {NNG_EPERM, -EACCES},
    {NNG_ECONNABORTED, -ECONNRESET},
    {NNG_ECONNRESET, -ECONNRESET},
    {NNG_ECANCELED, -ECANCELED},
    {NNG_ENOFILES, -EMFILE},
    {NNG_ENOSPC, -ENOSPC},
    {NNG_EEXIST, -EEXIST},
    {NNG_ECONNSHUT, -ECONNRESET},
};

int era_link_errno(int nng_result)
{
    if (nng_result & NNG_ESYSERR)
        return -(nng_result & ~NNG_ESYSERR);
    for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
        if (errnos[i].nng == nng_result)
            return errnos[i].negative;
    return -EIO;
}

int era_link_address_check(const char *address)
{
    size_t len = strlen(address);
    if (len > ERA_ADDRESS_BYTES_MAX)
        return -ENAMETOOLONG;
    if (strncmp(address, "tcp://", 6) == 0)
        return len > 6 ? 0 : -EINVAL;
    if (strncmp(address, "ipc:///", 7) == 0)
        return len - 6 <= ERA_LINK_PATH_BYTES_MAX ? 0 : -ENAMETOOLONG;
    return -EINVAL;
}

/* The four bytes of an IPv4 address; NULL: it is none. A listener of both families names them ::ffff:a.b.c.d,
 * which to everybody else is one /64, whose hosts would be counted, banned and kept waiting as one. */
static const void *v4_of(const nng_sockaddr *sa)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    if (sa->s_family == NNG_AF_INET)
        return &sa->s_in.sa_addr;
    bool is_mapped = sa->s_family == NNG_AF_INET6 && memcmp(sa->s_in6.sa_addr, mapped, sizeof(mapped)) == 0;
    return is_mapped ? (const uint8_t *)sa->s_in6.sa_addr + sizeof(mapped) : NULL;
}

void era_link_address_text(const nng_sockaddr *sa, const char *fallback, char out[ERA_ADDRESS_BYTES_MAX + 1])
{
    char ip[INET6_ADDRSTRLEN];
    const void *v4 = v4_of(sa);
    if (v4 != NULL) {
        uint16_t port = sa->s_family == NNG_AF_INET ? sa->s_in.sa_port : sa->s_in6.sa_port;
        inet_ntop(AF_INET, v4, ip, sizeof(ip));
        snprintf(out, ERA_ADDRESS_BYTES_MAX + 1, "tcp://%s:%u", ip, (unsigned)ntohs(port));
    } else if (sa->s_family == NNG_AF_INET6) {
        inet_ntop(AF_INET6, sa->s_in6.sa_addr, ip, sizeof(ip));
        snprintf(out, ERA_ADDRESS_BYTES_MAX + 1, "tcp://[%s]:%u", ip, (unsigned)ntohs(sa->s_in6.sa_port));
    } else {
        era_text_set(out, ERA_ADDRESS_BYTES_MAX + 1, fallback);
    }
}

struct era_link_host era_link_host(const nng_sockaddr *sa)
{
    struct era_link_host host = {{0}};
    const void *v4 = v4_of(sa);
    host.b[0] = v4 != NULL ? NNG_AF_INET : (uint8_t)sa->s_family;
    if (v4 != NULL)
        memcpy(host.b + 1, v4, 4);
    else if (sa->s_family == NNG_AF_INET6) /* whoever has one address has the whole /64 */
        memcpy(host.b + 1, sa->s_in6.sa_addr, 8);
    return host;
}
