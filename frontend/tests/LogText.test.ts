import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import LogText from '@/components/LogText.vue'
import { HOSTILE } from '../mock/traffic.mjs'

describe('text from a log', () => {
  it('never becomes an element, a link or a handler', () => {
    for (const value of [...HOSTILE, '<a href="javascript:alert(1)">x</a>', '<svg/onload=alert(1)>']) {
      const box = mount(LogText, { props: { value, limit: 10_000 } })
      expect(box.findAll('script, img, svg, a, iframe')).toHaveLength(0)
      expect([...box.element.querySelectorAll('*')].flatMap(one => one.getAttributeNames())).not.toContain(
        'onerror',
      )
    }
  })
  it('shows overrides and control bytes by name, marked', () => {
    const box = mount(LogText, { props: { value: '/a\u202egnp.exe\u0007' } })
    expect(box.text()).toBe('/a‹U+202E›gnp.exe\\x07')
    expect(box.findAll('.odd').map(one => one.text())).toEqual(['‹U+202E›', '\\x07'])
  })
  it('clips long values and shows them whole on demand', async () => {
    const box = mount(LogText, { props: { value: 'A'.repeat(500), limit: 100, expandable: true } })
    expect(box.text()).toContain('400')
    await box.get('button').trigger('click')
    expect(box.text()).toContain('A'.repeat(500))
  })
  it('marks stretches', () => {
    const box = mount(LogText, {
      props: {
        value: "id=1' UNION SELECT",
        spans: [
          { start: 6, end: 11 },
          { start: 99, end: 120 },
        ],
      },
    })
    expect(box.findAll('mark').map(one => one.text())).toEqual(['UNION'])
  })
})
