/* IPv4 addresses: four decimal numbers without leading zeros, as inet_pton takes them. */
#include "core.h"

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

LV_API void lv_v4(const u8 *data, const i32 *offsets, i64 rows, u32 *out, u8 *good) {
    for (i64 row = 0; row < rows; row++) {
        out[row] = 0;
        good[row] = (u8)v4(data + offsets[row], data + offsets[row + 1], &out[row]);
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
