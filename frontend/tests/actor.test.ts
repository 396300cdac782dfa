import { describe, expect, it } from 'vitest'
import { actorFilter, actorText, readActor } from '@/actor'

describe('actors', () => {
  it('are read as a kind and a value', () => {
    expect(['ip:2001:db8::1', 'net:203.0.113.0/24', 'site:-', '203.0.113.7'].map(readActor)).toEqual([
      { kind: 'ip', value: '2001:db8::1' },
      { kind: 'net', value: '203.0.113.0/24' },
      { kind: 'site', value: '-' },
      { kind: '', value: '203.0.113.7' },
    ])
  })

  it('stand on the page by their value, a site that its log does not name by words', () => {
    expect(
      ['ip:203.0.113.7', 'site:shop.example', 'site:-', 'agent:-'].map(one =>
        actorText(one, 'the whole site'),
      ),
    ).toEqual(['203.0.113.7', 'shop.example', 'the whole site', '-'])
  })

  it('filter events where a field holds them', () => {
    expect(
      ['ip:203.0.113.7', 'net:203.0.113.0/24', 'net:203.0.113.0/25', 'agent:1f'].map(actorFilter),
    ).toEqual([
      { field: 'client_ip', value: '203.0.113.7' },
      { field: 'client_ip', value: '203.0.113.0/24' },
      null,
      null,
    ])
  })
})
