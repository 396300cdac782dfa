// The documents of the API under the page's own names. Times are ISO 8601 UTC, bytes are B, shares 0 to 1.
import type { components } from './schema.gen'

type Schemas = components['schemas']

export type AnsweredFrom = Schemas['AnsweredFrom']
export type Outcome = Schemas['Outcome']
export type Severity = Schemas['Severity']
export type Stage = Schemas['Stage']
export type Status = Schemas['Status']
export type Attack = Schemas['Attack']
export type Dimension = Schemas['Dimension']
export type Order = Schemas['Order']

export type Meta = Schemas['Meta']
export type Totals = Schemas['TotalsNow']
export type Series = Schemas['Series']
export type SeriesLine = Schemas['Line']
export type Top = Schemas['Top']
export type TopRow = Schemas['Row']
export type LogEvent = Schemas['Event']
export type EventPage = Schemas['EventPage']
export type Evidence = Schemas['EvidenceRow']
export type Incident = Schemas['IncidentDocument']
export type IncidentPage = Schemas['IncidentPage']
export type Actor = Schemas['ActorDocument']
export type Rejects = Schemas['Rejects']
export type Source = Schemas['SourceRow']
export type Sources = Schemas['Sources']
export type Health = Schemas['Health']

/** Dimensions of /api/top, as values; held to the schema by the type. */
export const DIMENSIONS = [
  'path',
  'route',
  'client_ip',
  'status',
  'method',
  'protocol',
  'site',
  'country',
  'network',
  'asn',
  'agent',
  'os',
  'device',
  'bot',
  'referer',
  'user_agent',
  'attack',
  'kind',
  'source',
  'rules',
  'outcome',
  'user',
] as const satisfies readonly Dimension[]

// The live stream is not part of the OpenAPI document.

/** What the server says every second. `rate` is per second; counts are since the last message. */
export interface Now {
  t: string
  rate: number
  requests: number
  attacks: number
  bytes: number
  success: number
  errors: number
  totals: Record<string, number>
  lag_bytes: number | null
}
export interface EventsMessage {
  rows: LogEvent[]
  total_new: number
  sampled: boolean
}

/** A stretch of a text, in UTF-16 offsets. */
export interface Span {
  start: number
  end: number
}
