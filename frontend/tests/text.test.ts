import { describe, expect, it } from 'vitest'
import { tooltipHtml } from '@/charts/tooltip'
import { clip, escapeHtml, pieces, visible } from '@/text'

describe('hostile text', () => {
  it('names control characters, bidi overrides and invisible ones', () => {
    expect(visible('a\u0000\u001b[31m\n\u007f\u0085')).toBe('a\\x00\\x1B[31m\\n\\x7F\\x85')
    expect(visible('x\u202egnp.exe\u2066\u200b\ufeff')).toBe('x‹U+202E›gnp.exe‹U+2066›‹U+200B›‹U+FEFF›')
    expect(visible('\ud800 \u{e0041}')).toBe('‹U+D800› ‹U+E0041›')
  })
  it('leaves ordinary text of any script alone', () => {
    const text = "/产品/列表?q=naïve+العربية+עברית+😀'<b>"
    expect(visible(text)).toBe(text)
    expect(pieces(text)).toEqual([{ text, odd: false }])
  })
  it('marks the odd pieces and keeps the rest', () => {
    expect(pieces('a\tb')).toEqual([
      { text: 'a', odd: false },
      { text: '\\t', odd: true },
      { text: 'b', odd: false },
    ])
  })
  it('clips without cutting a character in half', () => {
    expect(clip('ab😀cd', 3)).toEqual({ text: 'ab', left: 4 })
    expect(clip('abc', 3)).toEqual({ text: 'abc', left: 0 })
  })
  it('escapes everything that a tooltip is given', () => {
    expect(escapeHtml('<img src=x onerror="alert(1)">&\'\u202e')).toBe(
      '&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;‹U+202E›',
    )
    const html = tooltipHtml('<script>1</script>', [{ colour: '"><b>', name: '<i>', value: '</div>' }], '<u>')
    for (const tag of ['<script', '<b>', '<i>', '<u>', '"><b']) expect(html).not.toContain(tag)
  })
})
