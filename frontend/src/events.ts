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
export const DEFAULT_COLUMNS: Column[] = ['time', 'status', 'method', 'target', 'client_ip', 'country', 'score', 'attack', 'agent', 'bytes']

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

const WIDTHS: Partial<Record<Column, string>> = {
  time: '8.5rem',
  status: '2.6rem',
  method: '3.4rem',
  target: 'minmax(14rem,1fr)',
  path: 'minmax(10rem,1fr)',
  query: 'minmax(8rem,1fr)',
  route: 'minmax(8rem,1fr)',
  referer: 'minmax(8rem,1fr)',
  user_agent: 'minmax(12rem,1fr)',
  client_ip: '9.5rem',
  peer_ip: '9.5rem',
  country: '4rem',
  score: '4.6rem',
  attack: '8rem',
  outcome: '7rem',
  rules: '10rem',
  bytes: '4.8rem',
  duration_us: '4.8rem',
  source: '10rem',
  network: '9rem',
  bot: '9rem',
}
/** How wide a column is, as a CSS grid track. */
export const columnWidth = (column: Column): string => WIDTHS[column] ?? '6rem'
