import { describe, expect, it } from 'vitest'
import { add, flip, format, parse, soleClient, type Term, termFor } from '@/query/filter'

const term = (field: string | null, value: string, negated = false, exact = false): Term => ({
  field,
  value,
  negated,
  exact,
})

describe('the filter language', () => {
  it('reads fields, negation, quotes and bare words', () => {
    expect(
      parse('status:404 path:/admin* -bot:search* client:203.0.113.7 "two words" user_agent:"a \\"b\\""'),
    ).toEqual([
      term('status', '404'),
      term('path', '/admin*'),
      term('bot', 'search*', true),
      term('client_ip', '203.0.113.7'),
      term(null, 'two words'),
      term('user_agent', 'a "b"', false, true),
    ])
  })
  it('takes a colon of no known field as part of a word', () => {
    expect(parse('https://x.example foo:bar')).toEqual([
      term(null, 'https://x.example'),
      term(null, 'foo:bar'),
    ])
  })
  it('quotes such words when it writes them, for the server would take them for a field', () => {
    expect(format(parse('foo:bar -x'))).toBe('"foo:bar" -x')
  })
  it('leaves half-typed fields out', () => {
    expect(parse('status: -')).toEqual([term(null, '-')])
  })
  it('means the same after writing and reading, whatever the value is', () => {
    const values = [
      'a',
      '*',
      '-',
      '-x',
      'a b',
      '"',
      '\\',
      '\\"',
      '*x*',
      'x:y',
      '',
      '\u202e',
      '中文 空格',
      "' OR 1=1",
      'a\tb',
      '"quoted"',
    ]
    for (const value of values)
      for (const field of ['path', 'user_agent'])
        for (const negated of [true, false]) {
          const one = termFor(field, value, negated)
          expect(parse(format([one]))).toEqual([
            { ...one, exact: one.exact || /\s/.test(value) || value.startsWith('"') },
          ])
        }
  })
  it('filters exactly by a clicked value that looks like a pattern', () => {
    expect(format([termFor('path', '/a*')])).toBe('path:"/a*"')
    expect(format([termFor('country', 'CN')])).toBe('country:CN')
    expect(format([termFor('method', 'get')])).toBe('method:"get"')
    expect(format([termFor('client_ip', '10.0.0.0/8')])).toBe('client_ip:"10.0.0.0/8"')
    expect(format([termFor('status', 404, true)])).toBe('-status:404')
  })
  it('asks for "not logged" by a dash', () => {
    expect(format([termFor('referer', null)])).toBe('referer:-')
    expect(format([termFor('referer', null, true)])).toBe('-referer:-')
  })
  it('keeps a term once, and lets the opposite replace it', () => {
    const once = add(add([], termFor('status', 404)), termFor('status', 404))
    expect(format(once)).toBe('status:404')
    expect(format(add(once, termFor('status', 404, true)))).toBe('-status:404')
    expect(format(flip(once, 0))).toBe('-status:404')
  })
})

describe('incidents of a filter', () => {
  it('are those of the one client that it names', () => {
    expect(soleClient(parse('status:404 client:203.0.113.7'))).toBe('203.0.113.7')
    expect(soleClient(parse('client:"2001:db8::1"'))).toBe('2001:db8::1')
    for (const text of [
      '',
      'status:404',
      '-client:203.0.113.7',
      'client:203.0.113.*',
      'client:203.0.113.0/24',
      'client:-',
      'client:1.2.3.4 client:1.2.3.5',
    ])
      expect(soleClient(parse(text))).toBeNull()
  })
})
