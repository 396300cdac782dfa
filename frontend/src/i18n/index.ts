// The page's languages: `t('key', {…})` in the reader's language. Typed, without a library: every key
// exists in every language or the build fails.
import { readonly, ref } from 'vue'
import type { Language } from '@/format'
import { keep, recall } from '@/storage'
import { en, type Key } from './en'
import { zh } from './zh'

export type { Key } from './en'

const TEXTS: Record<Language, Record<Key, string>> = { en, zh }
const STORED = 'language'

const chosen = ref<Language>(initial())

function initial(): Language {
  const stored = recall(STORED)
  if (stored === 'en' || stored === 'zh') return stored
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

export const language = readonly(chosen)

export function setLanguage(next: Language): void {
  chosen.value = next
  keep(STORED, next)
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

/** The text of a key in a language, its {names} filled in. */
export function translate(of: Language, key: Key, values: Record<string, string | number> = {}): string {
  return TEXTS[of][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

export const t = (key: Key, values?: Record<string, string | number>): string =>
  translate(chosen.value, key, values)

const isKey = (key: string): key is Key => Object.hasOwn(en, key)

/** The name of a closed-set value, e.g. term('attack', 'sqli'); a value that has no name is its own. */
export function term(set: string, value: string | null | undefined): string {
  if (value == null || value === '') return t('filter.nothing')
  const key = `${set}.${value}`
  return isKey(key) ? t(key) : value
}
