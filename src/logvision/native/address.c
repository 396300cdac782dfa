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
