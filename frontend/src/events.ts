// What is shown of events: the columns one can choose, and an event as a log line again.
import type { LogEvent } from './api/types'

export type Column = Exclude<keyof LogEvent, 'id'>

export const COLUMNS: Column[] = [
  'time',
  'status',
  'method',
  'target',
  'client_ip',
  'country',
  'score',
  'attack',
  'outcome',
  'rules',
  'bytes',
  'duration_us',
  'site',
  'path',
  'query',
  'route',
  'kind',
  'protocol',
  'referer',
  'user_agent',
  'agent',
  'os',
  'device',
  'bot',
  'network',
  'asn',
  'peer_ip',
  'user',
  'source',
  'position',
]
export const DEFAULT_COLUMNS: Column[] = [
  'time',
  'status',
  'method',
  'target',
  'client_ip',
  'country',
  'score',
  'attack',
  'bytes',
]

/** Columns that hold no value worth filtering by. */
export const UNFILTERED = new Set<Column>(['time', 'score', 'bytes', 'duration_us', 'position'])

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A quoted field of the combined format; quotes, backslashes and control bytes escaped as nginx does. */
const quoted = (text: string | null): string =>
  text === null
    ? '"-"'
    : `"${text.replace(/[\u0000-\u001f\u007f"\\]/g, c => (c === '\\' ? '\\x5C' : `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`))}"`

/** The event as a line of the combined format, in UTC. */
export function asLine(event: LogEvent): string {
  const at = new Date(event.time)
  const pad = (n: number) => String(n).padStart(2, '0')
  const stamp = `${pad(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())} +0000`
  const request = [event.method, event.target, event.protocol].filter(part => part !== null).join(' ')
  const user = event.user === null ? '-' : event.user.replace(/[\s\u0000-\u001f\u007f"]/g, '_')
  return `${event.client_ip ?? event.peer_ip ?? '-'} - ${user} [${stamp}] ${quoted(request || null)} ${event.status ?? '-'} ${event.bytes ?? '-'} ${quoted(event.referer)} ${quoted(event.user_agent)}`
}

/** Least widths of columns in rem; those in WIDE share what room is left. */
const WIDTHS: Partial<Record<Column, number>> = {
  time: 9.5,
  status: 3.2,
  method: 5.2,
  target: 10,
  path: 10,
  query: 10,
  route: 10,
  referer: 10,
  user_agent: 14,
  client_ip: 9,
  peer_ip: 9,
  country: 4.5,
  score: 4.8,
  attack: 10,
  outcome: 7,
  rules: 12,
  bytes: 4.6,
  duration_us: 4.8,
  source: 12,
  network: 10,
  bot: 10,
  agent: 6.4,
}
const WIDE = new Set<Column>(['target', 'path', 'query', 'route', 'referer', 'user_agent'])
const GAP_REM = 0.85
const width = (column: Column): number => WIDTHS[column] ?? 6

/** The columns as CSS grid tracks, and the width below which the list scrolls sideways. */
export function columnTracks(columns: Column[]): { tracks: string; leastRem: number } {
  const tracks = columns.map(one => (WIDE.has(one) ? `minmax(${width(one)}rem, 1fr)` : `${width(one)}rem`))
  if (!columns.some(one => WIDE.has(one))) tracks.push('1fr')
  return { tracks: tracks.join(' '), leastRem: columns.reduce((sum, one) => sum + width(one) + GAP_REM, 2) }
}
