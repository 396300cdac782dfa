// The shapes of the API's answers, as the page uses them. Times are ISO 8601 UTC, bytes are B, shares are 0 to 1.

export type Attack = string
export type Outcome = 'blocked' | 'missed' | 'worked' | 'unknown'
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical'
export type Stage = 'recon' | 'probe' | 'exploit' | 'foothold'
export type Status = 'open' | 'acknowledged' | 'closed' | 'false_alarm'
export type AnsweredFrom = 'rollups' | 'events'

export interface Meta {
  version: string
  mode: 'embedded' | 'distributed' | 'report'
  sites: string[]
  first: string | null
  last: string | null
  attributions: { text: string; url: string | null }[]
  auth_required: boolean
  now: string
  languages: string[]
}

export interface Totals {
  requests: number
  success: number
  other: number
  client_errors: number
  server_errors: number
  visitors: number
  resources: number
  bytes: number
  log_bytes: number
  attacks: number
  normal: number
  incidents_open: number
  read: number
  events: number
  rejects: number
  filtered: number
  rate_now: number
  first: string | null
  last: string | null
  answered_from: AnsweredFrom
}

export interface SeriesLine {
  key: string
  t: string[]
  requests: number[]
  bytes: number[]
  attacks: number[]
}
export interface Series {
  step_s: number
  start: string
  series: SeriesLine[]
  answered_from: AnsweredFrom
}

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
] as const
export type Dimension = (typeof DIMENSIONS)[number]

export interface TopRow {
  value: string | null
  requests: number
  bytes: number
  attacks: number
  errors: number
  share: number
  country?: string | null
  label?: string | null
}
export interface Top {
  rows: TopRow[]
  total: number
  other: number
  answered_from: AnsweredFrom
}

export interface LogEvent {
  id: string
  time: string
  source: string
  position: number
  site: string | null
  peer_ip: string | null
  user: string | null
  method: string | null
  target: string | null
  path: string | null
  query: string | null
  protocol: string | null
  status: number | null
  bytes: number | null
  referer: string | null
  user_agent: string | null
  duration_us: number | null
  client_ip: string | null
  country: string | null
  asn: number | null
  network: string | null
  agent: string | null
  os: string | null
  device: string | null
  bot: string | null
  route: string | null
  kind: string | null
  score: number
  attack: Attack | null
  rules: string[]
  outcome: Outcome | null
}
export interface EventPage {
  rows: LogEvent[]
  next: string | null
  answered_from: AnsweredFrom
}

export interface Evidence {
  id?: string
  source: string
  position: number
  time: string
  method: string | null
  target: string | null
  status: number | null
  bytes: number | null
  score: number
  attack: Attack | null
  rules: string[]
  outcome: Outcome | null
  user_agent: string | null
  referer: string | null
}
export interface Change {
  at: string
  author: string
  status: Status
  note: string
}
export interface Incident {
  id: string
  actor: string
  actor_kind: string
  site: string | null
  stage: Stage
  attacks: Record<Attack, number>
  outcome: Outcome
  severity: Severity
  score: number
  first_seen: string
  last_seen: string
  events: number
  alerts: number
  rules: string[]
  routes: string[]
  agents: string[]
  countries: string[]
  members?: string[]
  member_count?: number
  evidence: Evidence[]
  summary: string
  summary_key?: string
  summary_args?: Record<string, unknown>
  advice: string[]
  advice_keys?: string[]
  part_of?: string | null
  active?: boolean
  status: Status
  note: string
  revision: number
  history: Change[]
}
export interface IncidentPage {
  rows: Incident[]
  next: string | null
}

export interface Actor {
  first: string | null
  last: string | null
  requests: number
  attacks: number
  bytes: number
  countries: (string | TopRow)[]
  agents: (string | TopRow)[]
  routes: (string | TopRow)[]
  statuses: (string | number | TopRow)[]
  incidents: Incident[]
  newest: LogEvent[]
}

export interface Rejects {
  by_reason: { reason: string; count: number }[]
  rows: { reason: string; raw: string; size: number; source: string; position: number; read_at: string }[]
}

export interface Source {
  source: string
  kind: string
  state: string
  detail: string | null
  read_bytes: number
  size_bytes: number | null
  lag_bytes: number | null
  last_read: string | null
  events: number
  rejects: number
  filtered: number
  format: string | null
  confidence: number | null
  lines_per_second: number
}
export interface Health {
  ok: boolean
  checks: { name: string; ok: boolean; detail: string | null }[]
  segments: number
  lake_bytes: number
  memory_bytes: number
  uptime_s: number
}

/** What the server says every second. Rates are per second; counts are since the last message. */
export interface Now {
  t: string
  rate: number
  requests: number
  attacks: number
  bytes: number
  success: number
  errors: number
  totals: {
    requests: number
    success: number
    other: number
    attacks: number
    visitors: number
    bytes: number
    rejects: number
    filtered: number
    read: number
  }
  lag_bytes: number
}
export interface EventsMessage {
  rows: LogEvent[]
  total_new: number
  sampled: boolean
}

/** A stretch of text that a rule matched, in UTF-16 offsets of the text that it belongs to. */
export interface Span {
  start: number
  end: number
}
export interface Explanation {
  event?: Partial<LogEvent> | null
  raw?: string | null
  steps?: { step: string; before?: string | null; after: string; field?: string | null }[]
  units?: { field: string; name?: string | null; text: string; spans?: Span[] }[]
  rules?: {
    rule: string
    title?: string | null
    attack?: Attack | null
    severity?: Severity | null
    field?: string | null
    matched?: string[]
  }[]
  score: number
  threshold?: number | null
  attack: Attack | null
  outcome: Outcome | null
  [more: string]: unknown
}
