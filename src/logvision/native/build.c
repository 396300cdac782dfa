/* Which sources this library was built from: SHA-256 over their names and bytes, in hexadecimal. */
#include "core.h"

#ifndef LV_DIGEST
#define LV_DIGEST ""
#endif

LV_API const char *lv_digest(void) { return LV_DIGEST; }
