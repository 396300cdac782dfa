// Time ranges: a preset that moves with now, fixed ends, or everything.

export const PRESETS = ['now-15m', 'now-1h', 'now-6h', 'now-24h', 'now-7d', 'now-30d'] as const
export type Preset = (typeof PRESETS)[number]

export interface Range {
  /** `now-…`, ISO 8601 UTC, or null: from the beginning. */
  from: string | null
  /** ISO 8601 UTC, or null: up to now. */
  to: string | null
}

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** The length of `now-15m` in ms; null: not of that form. */
export function presetMs(from: string | null): number | null {
  const match = from ? /^now-(\d{1,5})([smhdw])$/.exec(from) : null
  return match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0) : null
}

/** What a page opens with when its address says nothing: as much of the last day as there is, else everything. */
export const DEFAULT_FROM: Preset = 'now-24h'

/** The shortest preset, up to a day, that shows everything since `first`; null (everything) when all is older. */
export function openingFrom(first: string | null, last: string | null, now: number): Preset | null {
  if (!first || !last) return DEFAULT_FROM
  if (now - Date.parse(last) > (presetMs(DEFAULT_FROM) ?? 0)) return null
  const age = now - Date.parse(first)
  return PRESETS.find(preset => age <= (presetMs(preset) ?? 0) || preset === DEFAULT_FROM) ?? DEFAULT_FROM
}

/** Does the range end now, so that its panels change while one looks? */
export const isOpen = (range: Range): boolean => range.to === null

/** A moment as it stands in addresses, to the second. */
export const isoSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** Ends in ms; `first` and `last` bound a range that is open at an end (null: unknown). */
export function bounds(range: Range, now: number, first: string | null): [number, number] {
  const to = range.to ? Date.parse(range.to) : now
  const length = presetMs(range.from)
  if (length !== null) return [to - length, to]
  if (range.from) return [Date.parse(range.from), to]
  return [first ? Date.parse(first) : to - 86_400_000, to]
}

/** What a person typed in a date-time field (local time) as ISO UTC; null: empty or not a time. */
export function fromLocalField(text: string): string | null {
  const at = new Date(text)
  return text === '' || Number.isNaN(at.getTime()) ? null : isoSeconds(at.getTime())
}

/** ISO UTC as a date-time field wants it, in local time. */
export function toLocalField(iso: string | null): string {
  const at = iso ? new Date(iso) : null
  if (!at || Number.isNaN(at.getTime())) return ''
  const pad = (n: number) => String(n).padStart(2, '0')
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`
}

/** Is this a range end that may stand in the address? */
export function validEnd(text: string): boolean {
  return (
    presetMs(text) !== null || (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text)))
  )
}
