// The filter language, as text and as terms: `status:404 path:/admin* -bot:search* "two words"`.

/**
 * One condition. `field` null: a word looked for anywhere in the target. `exact`: the value was quoted,
 * so `*` and `-` in it mean themselves; else "*" is any value, "-" is none.
 */
export interface Term {
  field: string | null
  value: string
  negated: boolean
  exact: boolean
}

/** What may stand before the colon. */
export const FIELDS = [
  'path',
  'target',
  'route',
  'query',
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
  'user',
  'peer',
  'attack',
  'score',
  'rules',
  'outcome',
  'kind',
  'bytes',
  'duration',
  'source',
] as const
export type Field = (typeof FIELDS)[number]

const ALIASES: Record<string, string> = {
  client: 'client_ip',
  ip: 'client_ip',
  ua: 'user_agent',
  rule: 'rules',
  peer_ip: 'peer',
  duration_us: 'duration',
}
const NAMED = new Set<string>(FIELDS)
const UPPER = new Set(['method', 'country'])
const NUMBERS = new Set(['status', 'bytes', 'duration', 'score', 'asn'])

/** The one client address that a filter names, as incidents are asked for; null: none, or more than one. */
export function soleClient(terms: Term[]): string | null {
  const named = terms.filter(term => term.field === 'client_ip')
  const [only] = named
  if (named.length !== 1 || !only || only.negated) return null
  return only.exact || (!/[*/]/.test(only.value) && only.value !== '-') ? only.value : null
}

/** The term that a click on a value adds: exactly this value; null is "the log does not say". */
export function termFor(field: string, value: string | number | null, negated = false): Term {
  const name = ALIASES[field] ?? field
  if (value === null) return { field: name, value: '-', negated, exact: false }
  const text = String(value)
  return { field: name, value: text, negated, exact: !NUMBERS.has(name) && wouldMeanMore(name, text) }
}

/** Would this value, unquoted, match more than itself? */
const wouldMeanMore = (field: string, value: string): boolean =>
  value === '-' ||
  value === '' ||
  value.startsWith('*') ||
  value.endsWith('*') ||
  ((field === 'client_ip' || field === 'peer') && value.includes('/')) ||
  (UPPER.has(field) && value !== value.toUpperCase())

/** Read a filter text. Never fails: what is not `field:value` of a known field is a bare word. */
export function parse(text: string): Term[] {
  const terms: Term[] = []
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) {
      at += 1
      continue
    }
    let negated = false
    if (text[at] === '-' && at + 1 < text.length && !/\s/.test(text[at + 1] ?? '')) {
      negated = true
      at += 1
    }
    let field: string | null = null
    const colon = /^([A-Za-z_]+):/.exec(text.slice(at, at + 32))
    const name = colon?.[1]?.toLowerCase() ?? ''
    const named = ALIASES[name] ?? name
    if (colon && NAMED.has(named)) {
      field = named
      at += colon[0].length
    }
    const [value, end, exact] = readValue(text, at)
    at = end
    if (value !== '' || (exact && field !== null))
      terms.push({ field, value, negated, exact: exact && field !== null })
  }
  return terms
}

function readValue(text: string, start: number): [string, number, boolean] {
  if (text[start] !== '"') {
    let end = start
    while (end < text.length && !/\s/.test(text[end] ?? '')) end += 1
    return [text.slice(start, end), end, false]
  }
  let value = ''
  let at = start + 1
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\' && at + 1 < text.length) at += 1
    value += text[at]
    at += 1
  }
  return [value, Math.min(at + 1, text.length), true]
}

/** Write terms as filter text; parse(format(terms)) means the same. */
export const format = (terms: Term[]): string => terms.map(formatTerm).join(' ')

export function formatTerm(term: Term): string {
  const prefix = (term.negated ? '-' : '') + (term.field === null ? '' : `${term.field}:`)
  return prefix + (needsQuotes(term) ? quote(term.value) : term.value)
}

const quote = (value: string): string => `"${value.replace(/[\\"]/g, c => `\\${c}`)}"`

function needsQuotes({ value, field, exact }: Term): boolean {
  if (exact || value === '' || /\s/.test(value) || value.startsWith('"')) return true
  return field === null && (value.startsWith('-') || value.includes(':'))
}

/** The terms with one more. One that is there already stays once; its own opposite gives way. */
export function add(terms: Term[], term: Term): Term[] {
  const rest = terms.filter(t => !(t.field === term.field && t.value === term.value))
  return [...rest, term]
}

export const without = (terms: Term[], index: number): Term[] => terms.filter((_, i) => i !== index)

export const flip = (terms: Term[], index: number): Term[] =>
  terms.map((t, i) => (i === index ? { ...t, negated: !t.negated } : t))
