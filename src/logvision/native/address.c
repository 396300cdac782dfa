/* Addresses of clients: those that stand as they are always written, and the networks that they are in. */
#include "core.h"

/* Four decimal numbers without leading zeros, as inet_pton takes them. */
static int v4(const u8 *at, const u8 *end, u32 *out) {
    u32 address = 0;
    if (end - at < 7 || end - at > 15) return 0;
    for (int part = 0; part < 4; part++) {
        u32 number = 0;
        int digits = 0;
        while (at < end && *at >= '0' && *at <= '9' && digits < 3) {
            if (digits == 1 && number == 0) return 0;
            number = number * 10 + (u32)(*at++ - '0');
            digits++;
        }
        if (digits == 0 || number > 255) return 0;
        address = address << 8 | number;
        if (part < 3 && (at >= end || *at++ != '.')) return 0;
    }
    *out = address;
    return at == end;
}

/* One to four hexadecimal digits without a leading zero. */
static const u8 *group(const u8 *at, const u8 *end, u8 *out) {
    u32 number = 0;
    const u8 *from = at;
    for (; at < end && at - from < 5; at++) {
        u32 digit = *at >= '0' && *at <= '9' ? *at - '0' : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10u : 16;
        if (digit == 16) break;
        number = number << 4 | digit;
    }
    if (at == from || at - from > 4 || (at - from > 1 && *from == '0')) return NULL;
    out[0] = (u8)(number >> 8);
    out[1] = (u8)number;
    return at;
}

/* IPv6 as RFC 5952 writes it: `::` stands for the first of the longest runs of zeros, of two groups at least. Addresses
 * that begin with five groups of zeros are left to others: they may carry IPv4. */
static int v6(const u8 *at, const u8 *end, u8 *out) {
    int groups = 0, gap = -1, best = 0, best_size = 1, leading = 1;
    memset(out, 0, 16);
    for (;;) {
        if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
            if (gap >= 0) return 0;
            gap = groups;
            at += 2;
            if (at == end) break;
        } else if (groups && *at++ != ':') {
            return 0;
        }
        if (groups == 8 || (at = group(at, end, out + 2 * groups)) == NULL) return 0;
        groups++;
        if (at == end) break;
    }
    if (gap < 0 ? groups != 8 : groups > 6) return 0;
    if (gap >= 0) {
        memmove(out + 2 * (gap + 8 - groups), out + 2 * gap, (size_t)(2 * (groups - gap)));
        memset(out + 2 * gap, 0, (size_t)(2 * (8 - groups)));
    }
    for (int n = 0, size = 0; n < 8; n++) {
        size = out[2 * n] || out[2 * n + 1] ? 0 : size + 1;
        leading &= size == n + 1 || n > 4;
        if (size > best_size) {
            best = n + 1 - size;
            best_size = size;
        }
    }
    return !leading && (best_size > 1 ? gap == best && groups == 8 - best_size : gap < 0);
}

/* What addresses are: 4 and its number, 6 and its bytes, or 0: neither, or not written as it always is. */
LV_API void lv_addresses(const u8 *data, const i32 *offsets, i64 rows, u8 *kind, u32 *number, u8 *bytes) {
    for (i64 row = 0; row < rows; row++) {
        const u8 *at = data + offsets[row], *end = data + offsets[row + 1];
        kind[row] = v4(at, end, &number[row]) ? 4 : v6(at, end, &bytes[16 * row]) ? 6 : 0;
    }
}

/* CRC-32 of a literal behind a text that has `crc`. */
static u32 behind(u32 crc, const char *text) {
    return lv_crc32(crc, (const u8 *)text, (const u8 *)text + strlen(text));
}

/* Where the colon of this number stands; `end` if there are fewer. */
static const u8 *colon(const u8 *at, const u8 *end, int number) {
    for (; at < end; at++)
        if (*at == ':' && --number == 0) return at;
    return end;
}

/* The networks of addresses as `network.py` says: numbers of the narrow and of the wide ones. */
LV_API void lv_networks(const u8 *data, const i32 *offsets, i64 rows, u32 *narrow, u32 *wide) {
    for (i64 row = 0; row < rows; row++) {
        const u8 *from = data + offsets[row], *end = data + offsets[row + 1], *to = end;
        if (colon(from, end, 1) == end) {
            while (to > from && to[-1] != '.') to--;
            int dot = to > from;
            to = dot ? to - 1 : end;
            narrow[row] = lv_crc32(0, from, to > from ? to : end);
            wide[row] = dot ? behind(lv_crc32(0, from, to), ".0/24") : lv_crc32(0, from, end);
            continue;
        }
        narrow[row] = lv_crc32(0, from, colon(from, end, 4));
        for (to = from; to + 1 < end && !(to[0] == ':' && to[1] == ':');) to++;
        if (to + 1 >= end) to = end;
        to = colon(from, to, 3);
        /* Groups of zero at the end are left out. */
        while (to > from) {
            const u8 *group = to;
            while (group > from && group[-1] != ':') group--;
            if (group < to && !(to - group == 1 && *group == '0')) break;
            to = group > from ? group - 1 : from;
        }
        wide[row] = behind(lv_crc32(0, from, to), "::/48");
    }
}
