// How a value of a dimension is named: countries, attacks, devices, bot classes and the private network have
// names in the reader's language; everything else is shown as logged.
import type { Language } from './format'
import { country } from './format'
import { term } from './i18n'
import type { Key } from './i18n/en'

const NAMED = new Set(['attack', 'outcome', 'device', 'kind', 'network'])

const FOUND = new Set(['attack', 'outcome', 'outcome_reason', 'bot', 'rules', 'query'])
const LOOKED_UP = new Set(['country', 'asn', 'network', 'agent', 'os', 'device', 'route'])

/** What a null says: nothing was found, nothing is known, or the log does not have it. */
export function absent(dimension: string): Key {
  if (FOUND.has(dimension)) return 'value.no'
  return LOOKED_UP.has(dimension) ? 'value.unknown' : 'value.none'
}

/** The name of a value, for a person. Uses the current language through `term`. */
export function label(dimension: string, value: string, language: Language): string {
  if (dimension === 'country') return country(value, language)
  if (NAMED.has(dimension)) return term(dimension, value)
  if (dimension === 'bot') {
    const colon = value.indexOf(':')
    if (colon > 0) return `${value.slice(colon + 1)} · ${term('bot', value.slice(0, colon))}`
  }
  return value
}
