// The live stream of the server: one EventSource for the whole page. The browser resumes it by
// itself with Last-Event-ID; on `gap` every panel loads again.
import { computed, readonly, ref, shallowRef } from 'vue'
import type { EventsMessage, Incident, Now, Source } from '@/api/types'

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'gap' | 'off'

const RATES_KEPT = 60 // seconds shown by the sparkline
const RETRY_MS = 3000 // when the browser gave up by itself, e.g. on a 401 or a 502

const connection = ref<Connection>('off')
const isPaused = ref(false)
const last = shallowRef<Now | null>(null)
const rates = shallowRef<number[]>([])
const sources = shallowRef<Source[] | null>(null)
/** Grows when new events came in: panels that show an open range load again at their own pace. */
const news = ref(0)
/** Grows when everything must be loaded again, whatever its pace. */
const reloads = ref(0)

const eventListeners = new Set<(message: EventsMessage) => void>()
const incidentListeners = new Set<(incident: Incident) => void>()

let stream: EventSource | null = null
let retry: ReturnType<typeof setTimeout> | undefined

function parse<T>(event: Event): T | null {
  try {
    return JSON.parse((event as MessageEvent<string>).data) as T
  } catch {
    return null
  }
}

function start(): void {
  if (stream) return
  clearTimeout(retry)
  if (connection.value !== 'reconnecting') connection.value = 'connecting'
  const opened = new EventSource('/api/stream?kinds=now,events,incident,health')
  stream = opened
  opened.addEventListener('open', () => {
    // What was missed while the connection was down is resumed by id; totals are read anew anyway.
    if (connection.value === 'reconnecting') news.value += 1
    connection.value = 'live'
  })
  opened.addEventListener('error', () => {
    connection.value = 'reconnecting'
    if (opened.readyState !== EventSource.CLOSED) return
    stream = null
    retry = setTimeout(start, RETRY_MS)
  })
  opened.addEventListener('now', event => {
    const now = parse<Now>(event)
    if (!now || isPaused.value) return
    if (connection.value === 'gap') connection.value = 'live'
    last.value = now
    rates.value = [...rates.value, now.rate].slice(-RATES_KEPT)
    if (now.requests > 0) news.value += 1
  })
  opened.addEventListener('events', event => {
    if (isPaused.value) return
    const message = parse<EventsMessage>(event)
    if (message) for (const listen of eventListeners) listen(message)
  })
  opened.addEventListener('incident', event => {
    const incident = parse<Incident>(event)
    if (incident && !isPaused.value) for (const listen of incidentListeners) listen(incident)
  })
  opened.addEventListener('health', event => {
    const health = parse<{ sources: Source[] }>(event)
    if (health && !isPaused.value) sources.value = health.sources
  })
  opened.addEventListener('gap', () => {
    connection.value = 'gap'
    reloads.value += 1
  })
}

function stop(): void {
  clearTimeout(retry)
  stream?.close()
  stream = null
  connection.value = 'off'
}

function setPaused(next: boolean): void {
  if (isPaused.value === next) return
  isPaused.value = next
  if (!next) reloads.value += 1
}

const on =
  <T>(listeners: Set<(value: T) => void>) =>
  (listen: (value: T) => void): (() => void) => {
    listeners.add(listen)
    return () => listeners.delete(listen)
  }

export const live = {
  connection: readonly(connection),
  paused: readonly(isPaused),
  state: computed(() => (isPaused.value && connection.value === 'live' ? 'paused' : connection.value)),
  now: last,
  rates,
  sources,
  news: readonly(news),
  reloads: readonly(reloads),
  start,
  stop,
  setPaused,
  /** Both give a function that ends the listening. */
  onEvents: on(eventListeners),
  onIncident: on(incidentListeners),
}
export const useLive = () => live
