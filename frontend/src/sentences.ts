// What the server says in English, said in the reader's language where the key is known.
import type { Incident } from './api/types'
import { count, country, type Language } from './format'
import { translate } from './i18n'
import { en as NAMES } from './i18n/en'
import { SENTENCES } from './i18n/sentences'

type Arguments = Record<string, unknown>

/** Fill the {names} of a sentence; numbers, countries and classes in the reader's language. */
function fill(sentence: string, values: Arguments, language: Language): string | null {
  let whole = true
  const text = sentence.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined || value === null) {
      whole = false
      return ''
    }
    return write(name, value, language)
  })
  return whole ? text : null
}

function write(name: string, value: unknown, language: Language): string {
  if (typeof value === 'number') return count(value, language)
  if (Array.isArray(value))
    return value.map(one => write(name, one, language)).join(language === 'zh' ? '、' : ', ')
  const text = String(value)
  if (name === 'country' || name === 'countries') return country(text, language)
  if (/^(attack|class|classes|attacks)$/.test(name)) return closed('attack', text, language)
  if (name === 'stage' || name === 'outcome') return closed(name, text, language)
  return text
}
const closed = (set: string, value: string, language: Language): string => {
  const key = `${set}.${value}`
  return key in NAMES ? translate(language, key as Parameters<typeof translate>[1]) : value
}

/** One sentence: what happened. */
export function summary(incident: Incident, language: Language): string {
  const known = language === 'en' ? undefined : SENTENCES[language]?.[incident.summary_key]
  return (known && fill(known, incident.summary_args, language)) || incident.summary
}

/** What to do, in order. */
export function advice(incident: Incident, language: Language): string[] {
  return incident.advice.map((english, i) => {
    const known = language === 'en' ? undefined : SENTENCES[language]?.[incident.advice_keys[i] ?? '']
    return (known && fill(known, incident.summary_args, language)) || english
  })
}
