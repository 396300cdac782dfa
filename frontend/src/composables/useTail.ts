// The newest events as they come. Without a filter from the live stream, shown four times a second at
// most; with a filter or a site by asking the server, which alone sees every event.
import { computed, onBeforeUnmount, type Ref, ref, shallowRef, watch } from 'vue'
import { ApiError, loginNeeded, type Params, read } from '@/api/client'
import type { LogEvent } from '@/api/types'
import { live } from './useLive'

export const KEPT = 1000
const SHOW_MS = 250
const ASK_MS = 1500
const PAGE = 100

/** The rows with the fresh ones before them, none twice, at most KEPT. Both are newest first. */
export function merge(rows: LogEvent[], fresh: LogEvent[]): LogEvent[] {
  const known = new Set(rows.map(row => row.id))
  const added = fresh.filter(row => !known.has(row.id) && known.add(row.id))
  return added.length === 0 ? rows : [...added, ...rows].slice(0, KEPT)
}

export function useTail(question: Ref<Params>, filtered: Ref<boolean>) {
  const rows = shallowRef<LogEvent[]>([])
  const held = ref(false)
  const waiting = shallowRef<LogEvent[]>([])
  const sampled = ref<{ shown: number; all: number } | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const ready = ref(false)
  let incoming: LogEvent[] = []
  let abort: AbortController | null = null
  let askedAt = 0

  function show(fresh: LogEvent[]): void {
    if (fresh.length === 0) return
    if (held.value) waiting.value = merge(waiting.value, fresh)
    else rows.value = merge(rows.value, fresh)
  }
  async function ask(anew: boolean): Promise<void> {
    if (loginNeeded.value) return
    if (anew) {
      abort?.abort()
      rows.value = []
      waiting.value = []
      incoming = []
      ready.value = false
      sampled.value = null
    }
    const mine = new AbortController()
    abort = mine
    askedAt = Date.now()
    try {
      const page = await read('/api/events', { ...question.value, limit: PAGE }, mine.signal)
      if (mine.signal.aborted) return
      error.value = null
      if (anew) rows.value = merge(rows.value, page.rows)
      else show(page.rows)
      ready.value = true
    } catch (problem) {
      if (mine.signal.aborted) return
      if (!(problem instanceof ApiError)) throw problem
      error.value = problem
    } finally {
      if (abort === mine) abort = null
    }
  }
  const stopListening = live.onEvents(message => {
    if (filtered.value) return
    incoming.push(...[...message.rows].reverse())
    sampled.value = message.sampled ? { shown: message.rows.length, all: message.total_new } : null
  })
  const timer = setInterval(() => {
    if (live.paused.value || document.visibilityState === 'hidden') return
    if (incoming.length > 0) {
      // Messages hold their newest row first; the latest message goes on top.
      const fresh = incoming
        .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : b.position - a.position))
        .slice(0, KEPT)
      incoming = []
      show(fresh)
    } else if (
      filtered.value &&
      !abort &&
      Date.now() - askedAt >= ASK_MS &&
      live.connection.value === 'live'
    ) {
      void ask(false)
    }
  }, SHOW_MS)
  watch(
    () => JSON.stringify(question.value),
    () => void ask(true),
    { immediate: true },
  )
  watch(live.reloads, () => void ask(true))
  onBeforeUnmount(() => {
    stopListening()
    clearInterval(timer)
    abort?.abort()
  })

  function follow(): void {
    held.value = false
    rows.value = merge(rows.value, waiting.value)
    waiting.value = []
  }
  return {
    rows,
    held,
    sampled,
    error,
    ready,
    waiting: computed(() => waiting.value.length),
    hold: () => {
      held.value = true
    },
    follow,
    clear: () => {
      rows.value = []
      waiting.value = []
    },
    reload: () => void ask(true),
  }
}
