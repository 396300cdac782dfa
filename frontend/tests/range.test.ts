import { describe, expect, it } from 'vitest'
import { rangeOf } from '@/composables/useQueryState'
import { bounds, fromLocalField, openingFrom, presetMs, toLocalField, validEnd } from '@/query/range'

describe('the time range', () => {
  it('is the last day when the address says nothing, and everything when it says all', () => {
    expect(rangeOf({})).toEqual({ from: 'now-24h', to: null })
    expect(rangeOf({ from: 'all' })).toEqual({ from: null, to: null })
  })
  it('takes presets and ISO times, and nothing else, from an address', () => {
    expect(rangeOf({ from: 'now-15m', to: '2026-11-23T07:00:00Z' })).toEqual({
      from: 'now-15m',
      to: '2026-11-23T07:00:00Z',
    })
    expect(rangeOf({ from: '<script>', to: 'yesterday' })).toEqual({ from: 'now-24h', to: null })
    expect(validEnd('now-999999d')).toBe(false)
  })
  it('opens with as much of the last day as there is, and with everything when all is older', () => {
    const now = Date.parse('2026-11-23T08:00:00Z')
    const since = (minutes: number) => new Date(now - minutes * 60_000).toISOString()
    expect([
      openingFrom(null, null, now),
      openingFrom(since(2), since(0), now),
      openingFrom(since(59), since(0), now),
      openingFrom(since(300), since(1), now),
      openingFrom(since(100_000), since(1), now),
      openingFrom(since(100_000), since(2_000), now),
    ]).toEqual(['now-24h', 'now-15m', 'now-1h', 'now-6h', 'now-24h', null])
    expect(rangeOf({}, null)).toEqual({ from: null, to: null })
  })
  it('knows the length of a preset', () => {
    expect([presetMs('now-15m'), presetMs('now-7d'), presetMs('2026-11-23T07:00:00Z')]).toEqual([
      900_000,
      604_800_000,
      null,
    ])
  })
  it('has ends in time', () => {
    const now = Date.parse('2026-11-23T08:00:00Z')
    expect(bounds({ from: 'now-1h', to: null }, now, null)).toEqual([now - 3_600_000, now])
    expect(bounds({ from: null, to: null }, now, '2026-11-01T00:00:00Z')).toEqual([
      Date.parse('2026-11-01T00:00:00Z'),
      now,
    ])
  })
  it('goes to a date field and back', () => {
    expect(fromLocalField(toLocalField('2026-11-23T07:05:00Z'))).toBe('2026-11-23T07:05:00Z')
    expect(fromLocalField('')).toBeNull()
  })
})
