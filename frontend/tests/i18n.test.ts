import { describe, expect, it } from 'vitest'
import { translate } from '@/i18n'
import { en, type Key } from '@/i18n/en'
import { zh } from '@/i18n/zh'

const keys = Object.keys(en) as Key[]
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(m => m[1]).sort()
/** Words that stay as they are in Chinese: names, units, and the filter language itself. */
const KEPT =
  /LogVision|Log4Shell|Natural Earth|SQL|NoSQL|LDAP|GraphQL|XML|PHP|Java|JSON|SEO|AI|AS|UTC|status|path|admin|bot|search|xx/g

describe('the languages', () => {
  it('have the same keys', () => {
    expect(Object.keys(zh).sort()).toEqual([...keys].sort())
  })
  it('fill in the same names', () => {
    expect(keys.filter(key => names(en[key]).join() !== names(zh[key]).join())).toEqual([])
  })
  it('leave no English in Chinese', () => {
    const left = keys.filter(key => /[A-Za-z]{2,}/.test(zh[key].replace(/\{\w+\}/g, '').replace(KEPT, '')))
    expect(left).toEqual([])
  })
  it('have no empty text', () => {
    expect(keys.filter(key => en[key].trim() === '' || zh[key].trim() === '')).toEqual([])
  })
  it('fill in values', () => {
    expect(translate('en', 'filter.remove', { term: 'a' })).toBe('Remove filter a')
    expect(translate('zh', 'explore.loaded', { n: 3 })).toBe('已加载 3 条')
  })
})
