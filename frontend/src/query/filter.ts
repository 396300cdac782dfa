// The filter language, as text and as terms: `status:404 path:/admin* -bot:search* "two words"`.

/** `field` null: a bare word, looked for anywhere in the target. `value` "*": any value at all. */
export interface Term {
  field: string | null
  value: string
  negated: boolean
}

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
  'attack',
  'rules',
  'outcome',
  'kind',
  'source',
] as const
export type Field = (typeof FIELDS)[number]

const ALIASES: Record<string, string> = { client: 'client_ip', ip: 'client_ip', rule: 'rules' }
const NAMED = new Set<string>(FIELDS)

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
    const colon = /^([a-z_]+):/.exec(text.slice(at, at + 32))
    const named = colon?.[1] ? (ALIASES[colon[1]] ?? colon[1]) : null
    if (colon && named && NAMED.has(named)) {
      field = named
      at += colon[0].length
    }
    const [value, end] = readValue(text, at)
    at = end
    if (value !== '' || field !== null) terms.push({ field, value, negated })
  }
  return terms
}

function readValue(text: string, start: number): [string, number] {
  if (text[start] !== '"') {
    let end = start
    while (end < text.length && !/\s/.test(text[end] ?? '')) end += 1
    return [text.slice(start, end), end]
  }
  let value = ''
  let at = start + 1
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\' && at + 1 < text.length) at += 1
    value += text[at]
    at += 1
  }
  return [value, Math.min(at + 1, text.length)]
}

/** Write terms as filter text; parse(format(terms)) gives the terms again. */
export const format = (terms: Term[]): string => terms.map(formatTerm).join(' ')

export function formatTerm(term: Term): string {
  const prefix = (term.negated ? '-' : '') + (term.field === null ? '' : `${term.field}:`)
  return prefix + (needsQuotes(term) ? quote(term.value) : term.value)
}

const quote = (value: string): string => `"${value.replace(/[\\"]/g, c => `\\${c}`)}"`

function needsQuotes(term: Term): boolean {
  const { value, field } = term
  if (value === '' || /[\s"\\]/.test(value)) return true
  return field === null && (value.startsWith('-') || /^[a-z_]+:/.test(value))
}

/** The terms with one more. One that is there already stays once; its own opposite gives way. */
export function add(terms: Term[], term: Term): Term[] {
  const rest = terms.filter(t => !(t.field === term.field && t.value === term.value))
  return [...rest, term]
}

export const without = (terms: Term[], index: number): Term[] => terms.filter((_, i) => i !== index)

export const flip = (terms: Term[], index: number): Term[] =>
  terms.map((t, i) => (i === index ? { ...t, negated: !t.negated } : t))
