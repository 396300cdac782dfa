// How numbers, bytes, times and places are written. The only file that knows units and the reader's locale.

export type Language = 'en' | 'zh'
const LOCALE: Record<Language, string> = { en: 'en-GB', zh: 'zh-CN' }
// British English writes a million as "m", which reads as milli beside seconds.
const FIGURES: Record<Language, string> = { en: 'en-US', zh: 'zh-CN' }
const NONE = '–'

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

const cached = <T>(make: (language: Language) => T) => {
  const made: Partial<Record<Language, T>> = {}
  return (language: Language): T => {
    made[language] ??= make(language)
    return made[language] as T
  }
}
const MINUTES = { hour: '2-digit', minute: '2-digit', hour12: false } as const
const SECONDS = { ...MINUTES, second: '2-digit' } as const
const whole = cached(l => new Intl.NumberFormat(FIGURES[l], { maximumFractionDigits: 0 }))
const short = cached(
  l => new Intl.NumberFormat(FIGURES[l], { notation: 'compact', maximumSignificantDigits: 3 }),
)
const oneDigit = cached(l => new Intl.NumberFormat(FIGURES[l], { maximumFractionDigits: 1 }))
const sizes = cached(
  l => new Intl.NumberFormat(FIGURES[l], { maximumSignificantDigits: 3, useGrouping: false }),
)
const percents = cached(
  l => new Intl.NumberFormat(FIGURES[l], { style: 'percent', maximumFractionDigits: 1 }),
)
const clock = cached(l => new Intl.DateTimeFormat(LOCALE[l], SECONDS))
const dateClock = cached(
  l => new Intl.DateTimeFormat(LOCALE[l], { year: 'numeric', month: 'short', day: '2-digit', ...SECONDS }),
)
const dateMinute = cached(
  l => new Intl.DateTimeFormat(LOCALE[l], { month: 'short', day: '2-digit', ...MINUTES }),
)
const daySecond = cached(
  l => new Intl.DateTimeFormat(LOCALE[l], { month: 'short', day: '2-digit', ...SECONDS }),
)
const day = cached(
  l => new Intl.DateTimeFormat(LOCALE[l], { year: 'numeric', month: 'short', day: '2-digit' }),
)
const dayMonth = cached(l => new Intl.DateTimeFormat(LOCALE[l], { month: 'short', day: '2-digit' }))
const hourMinute = cached(l => new Intl.DateTimeFormat(LOCALE[l], MINUTES))
const relative = cached(l => new Intl.RelativeTimeFormat(LOCALE[l], { numeric: 'always', style: 'short' }))
const regions = cached(l => new Intl.DisplayNames([LOCALE[l]], { type: 'region', fallback: 'code' }))

const missing = (n: number | null | undefined): n is null | undefined => n == null || Number.isNaN(n)

/** A count in full: 1,234,567. */
export const count = (n: number | null | undefined, language: Language): string =>
  missing(n) ? NONE : whole(language).format(n)

/** A count in little room: 1.23M; in full below 10,000. */
export const compact = (n: number | null | undefined, language: Language): string =>
  missing(n) ? NONE : Math.abs(n) < 10_000 ? oneDigit(language).format(n) : short(language).format(n)

/** Bytes in decimal units, three digits: 1.53 GB. */
export function bytes(n: number | null | undefined, language: Language): string {
  if (missing(n)) return NONE
  let value = n
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${sizes(language).format(value)} ${BYTE_UNITS[unit]}`
}

/** Events per second. */
export const rate = (n: number | null | undefined, language: Language): string =>
  missing(n) ? NONE : `${compact(n, language)}/s`

/** A share of 0 to 1 as a percentage; a share that is not zero never reads 0 %. */
export function percent(share: number | null | undefined, language: Language): string {
  if (missing(share)) return NONE
  if (share > 0 && share < 0.001) return `<${percents(language).format(0.001)}`
  if (share < 1 && share > 0.999) return `>${percents(language).format(0.999)}`
  return percents(language).format(share)
}

/** A probability with three decimals: 0.973. Never rounds up to 1 or down to 0. */
export function probability(p: number | null | undefined): string {
  if (missing(p)) return NONE
  if (p > 0 && p < 0.001) return '<0.001'
  if (p < 1 && p > 0.999) return '>0.999'
  return p.toFixed(3)
}

/** A duration of a request, from microseconds. */
export function duration(us: number | null | undefined, language: Language): string {
  if (missing(us)) return NONE
  if (us < 1000) return `${whole(language).format(us)} µs`
  if (us < 1_000_000) return `${sizes(language).format(us / 1000)} ms`
  return `${sizes(language).format(us / 1_000_000)} s`
}

const SPAN_UNITS: Record<Language, [number, string][]> = {
  en: [
    [86400, ' d'],
    [3600, ' h'],
    [60, ' min'],
    [1, ' s'],
  ],
  zh: [
    [86400, ' 天'],
    [3600, ' 小时'],
    [60, ' 分钟'],
    [1, ' 秒'],
  ],
}

/** A stretch of time in its two largest units: 3 d 4 h. */
export function span(seconds: number | null | undefined, language: Language): string {
  if (missing(seconds)) return NONE
  let rest = Math.max(0, Math.round(seconds))
  const parts: string[] = []
  for (const [size, name] of SPAN_UNITS[language]) {
    const n = Math.floor(rest / size)
    rest -= n * size
    if (n > 0) parts.push(`${n}${name}`)
    else if (parts.length > 0) break
    if (parts.length === 2) break
  }
  return parts.join(' ') || `0${SPAN_UNITS[language].at(-1)?.[1]}`
}

const date = (iso: string | null | undefined): Date | null => {
  if (!iso) return null
  const at = new Date(iso)
  return Number.isNaN(at.getTime()) ? null : at
}

/** Hour, minute, second in the reader's own time zone. */
export function time(iso: string | null | undefined, language: Language): string {
  const at = date(iso)
  return at ? clock(language).format(at) : NONE
}

/** Date and time in the reader's own time zone. */
export function dateTime(iso: string | null | undefined, language: Language): string {
  const at = date(iso)
  return at ? dateClock(language).format(at) : NONE
}

/** Date, hour and minute, for ranges. */
export function shortDateTime(iso: string | null | undefined, language: Language): string {
  const at = date(iso)
  return at ? dateMinute(language).format(at) : NONE
}

/** Day and time to the second, for the rows of a log. */
export function dayTime(iso: string | null | undefined, language: Language): string {
  const at = date(iso)
  return at ? daySecond(language).format(at) : NONE
}

/** Whether a moment is of the reader's own day. */
export const isToday = (iso: string, now: number): boolean =>
  new Date(iso).toDateString() === new Date(now).toDateString()

/** The same moment in UTC, for the tooltip of a local time. */
export function utc(iso: string | null | undefined): string {
  const at = date(iso)
  return at ? `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC` : ''
}

const NEAR_S = 30 * 86_400 // further away, a date says more than a number of days

/** How long ago, in one unit: 5 min. ago; the day of what is longer ago than a month. */
export function ago(iso: string | null | undefined, now: number, language: Language): string {
  const at = date(iso)
  if (!at) return NONE
  const seconds = Math.round((at.getTime() - now) / 1000)
  const size = Math.abs(seconds)
  if (size >= NEAR_S) return day(language).format(at)
  const say = relative(language)
  if (size < 60) return say.format(seconds, 'second')
  if (size < 3600) return say.format(Math.round(seconds / 60), 'minute')
  if (size < 86400) return say.format(Math.round(seconds / 3600), 'hour')
  return say.format(Math.round(seconds / 86400), 'day')
}

/** A mark on a time axis: as much as the step needs. */
export function axisTime(ms: number, stepS: number, language: Language): string {
  const at = new Date(ms)
  if (stepS >= 86400) return dayMonth(language).format(at)
  if (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0)
    return dayMonth(language).format(at)
  return stepS < 60 && at.getSeconds() !== 0 ? clock(language).format(at) : hourMinute(language).format(at)
}

/** The name of a country by its ISO alpha-2 code, in the reader's language; the code itself when unknown. */
export function country(code: string | null | undefined, language: Language): string {
  if (!code) return NONE
  if (!/^[A-Za-z]{2}$/.test(code)) return code
  if (code.toUpperCase() === 'XK') return language === 'zh' ? '科索沃' : 'Kosovo'
  try {
    return regions(language).of(code.toUpperCase()) ?? code
  } catch {
    return code
  }
}
