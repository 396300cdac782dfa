// What the server is: version, mode, sites, time bounds. Read once and again now and then.
import { shallowRef } from 'vue'
import { ApiError, read } from '@/api/client'
import type { Meta } from '@/api/types'

export const meta = shallowRef<Meta | null>(null)

export async function loadMeta(): Promise<void> {
  try {
    meta.value = await read('/api/meta')
  } catch (problem) {
    if (!(problem instanceof ApiError)) throw problem
    // Panels say that the server does not answer; the shell goes on with what it knows.
  }
}
