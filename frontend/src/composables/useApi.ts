// One question to the server, asked again when its parameters change and, while the range is open,
// at a sensible pace when new events came in. What was shown stays until the new answer is there.
import {
  getCurrentInstance,
  onBeforeUnmount,
  onMounted,
  type Ref,
  ref,
  type ShallowRef,
  shallowRef,
  watch,
} from 'vue'
import { ApiError, loginNeeded, type Params, type Reads, read } from '@/api/client'
import { clock } from './useClock'
import { live } from './useLive'

const IDLE_PACE_MS = 15_000 // a moving range changes without new events, too
const PATIENCE = 5 // a slow answer is asked for more seldom: this many times its own duration

export interface Answer<T> {
  data: ShallowRef<T | null>
  error: Ref<ApiError | null>
  /** True while a *different* question than the one shown is under way. */
  loading: Ref<boolean>
  reload: () => void
}

export function useApi<P extends keyof Reads>(
  question: () => { path: P; params?: Params } | null,
  options: { paceMs?: number; idleMs?: number; open?: () => boolean } = {},
): Answer<Reads[P]> {
  const data: ShallowRef<Reads[P] | null> = shallowRef(null)
  const error = ref<ApiError | null>(null)
  const loading = ref(true)
  const paceMs = options.paceMs ?? 3000
  const idleMs = options.idleMs ?? IDLE_PACE_MS
  let abort: AbortController | null = null
  let askedAt = 0
  let tookMs = 0
  let newsSeen = live.news.value
  let inView = true

  async function load(quietly: boolean): Promise<void> {
    const asked = question()
    abort?.abort()
    if (!asked) {
      loading.value = false
      data.value = null
      return
    }
    const mine = new AbortController()
    abort = mine
    if (!quietly) loading.value = true
    askedAt = Date.now()
    newsSeen = live.news.value
    try {
      const answer = await read(asked.path, asked.params, mine.signal)
      if (mine.signal.aborted) return
      data.value = answer
      error.value = null
    } catch (problem) {
      if (mine.signal.aborted) return
      if (!(problem instanceof ApiError)) throw problem
      // A hiccup in the background keeps what is shown; the next tick tries again.
      if (quietly && data.value !== null) return
      error.value = problem
      data.value = null
    } finally {
      if (abort === mine) {
        abort = null
        loading.value = false
        tookMs = Date.now() - askedAt
      }
    }
  }

  watch(
    () => JSON.stringify(question()),
    () => void load(false),
    { immediate: true },
  )
  watch(live.reloads, () => void load(true))
  watch(loginNeeded, needed => {
    if (!needed) void load(false)
  })
  watch(clock, now => {
    if (abort || live.paused.value || !inView || loginNeeded.value || !(options.open?.() ?? true)) return
    const waited = now - askedAt
    if (error.value && waited >= idleMs) void load(true)
    else if (
      waited >= Math.max(paceMs, tookMs * PATIENCE) &&
      (live.news.value !== newsSeen || waited >= idleMs)
    )
      void load(true)
  })

  // Panels out of sight do not ask.
  const instance = getCurrentInstance()
  let watcher: IntersectionObserver | undefined
  onMounted(() => {
    const element: unknown = instance?.proxy?.$el
    if (!(element instanceof HTMLElement) || typeof IntersectionObserver === 'undefined') return
    watcher = new IntersectionObserver(entries => {
      inView = entries.some(entry => entry.isIntersecting)
    })
    watcher.observe(element)
  })
  onBeforeUnmount(() => {
    watcher?.disconnect()
    abort?.abort()
  })

  return { data, error, loading, reload: () => void load(false) }
}
