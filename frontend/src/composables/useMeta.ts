// What the server is: version, mode, sites, time bounds. Read once and again now and then.
import { shallowRef } from 'vue'
import { ApiError, read } from '@/api/client'
import type { Meta } from '@/api/types'
import { DEFAULT_FROM, openingFrom } from '@/query/range'

export const meta = shallowRef<Meta | null>(null)
/** Where the range begins as long as the address says nothing; settled by the first answer that knows of events. */
export const opening = shallowRef<string | null>(DEFAULT_FROM)
/** The server was asked, whatever came of it: panels may ask their questions. */
export const asked = shallowRef(false)

export async function loadMeta(): Promise<void> {
  try {
    const found = await read('/api/meta')
    if (!meta.value?.first) opening.value = openingFrom(found.first, found.last, Date.parse(found.now))
    meta.value = found
  } catch (problem) {
    if (!(problem instanceof ApiError)) throw problem
    // Panels say that the server does not answer; the shell goes on with what it knows.
  } finally {
    asked.value = true
  }
}
