import { describe, expect, it } from 'vitest'
import {
  ago,
  axisTime,
  bytes,
  compact,
  count,
  country,
  duration,
  isToday,
  percent,
  probability,
  span,
  utc,
} from '@/format'

describe('figures', () => {
  it('writes bytes with three digits in decimal units', () => {
    expect([0, 999, 1000, 1536, 999_500, 1_530_000_000].map(n => bytes(n, 'en'))).toEqual([
      '0 B',
      '999 B',
      '1 kB',
      '1.54 kB',
      '1 MB',
      '1.53 GB',
    ])
  })
  it('writes counts in full and in little room', () => {
    expect(count(1234567, 'en')).toBe('1,234,567')
    expect(compact(9999, 'en')).toBe('9,999')
    expect(compact(1234567, 'en')).toBe('1.23M')
    expect(compact(12345678, 'zh')).toBe('1230万')
  })
  it('never rounds a share to nothing or to everything', () => {
    expect([0, 0.00001, 0.5, 0.99999, 1].map(n => percent(n, 'en'))).toEqual([
      '0%',
      '<0.1%',
      '50%',
      '>99.9%',
      '100%',
    ])
    expect([0, 0.0001, 0.5, 0.9999, 1].map(probability)).toEqual([
      '0.000',
      '<0.001',
      '0.500',
      '>0.999',
      '1.000',
    ])
  })
  it('writes what is not there as a dash', () => {
    expect([
      count(null, 'en'),
      bytes(undefined, 'en'),
      percent(Number.NaN, 'en'),
      probability(null),
      span(null, 'en'),
      ago(null, 0, 'en'),
    ]).toEqual(Array(6).fill('–'))
  })
  it('writes durations and spans in the unit that fits', () => {
    expect([900, 1500, 2_500_000].map(n => duration(n, 'en'))).toEqual(['900 µs', '1.5 ms', '2.5 s'])
    expect([0, 59, 3661, 90_061].map(s => span(s, 'en'))).toEqual(['0 s', '59 s', '1 h 1 min', '1 d 1 h'])
  })
  it('names countries in both languages and survives codes that are none', () => {
    expect(country('DE', 'en')).toBe('Germany')
    expect(country('DE', 'zh')).toBe('德国')
    expect(country('XK', 'zh')).toBe('科索沃')
    expect(country('<b>', 'en')).toBe('<b>')
  })
  it('says times in UTC for the tooltip, and how long ago', () => {
    expect(utc('2026-11-23T07:00:01.123456Z')).toBe('2026-11-23 07:00:01 UTC')
    expect(utc('nonsense')).toBe('')
    expect(ago('2026-11-23T07:00:00Z', Date.parse('2026-11-23T07:05:00Z'), 'en')).toMatch(/5 min/)
    expect(ago('2026-11-23T07:00:00Z', Date.parse('2026-12-20T07:00:00Z'), 'en')).toBe('27 days ago')
    expect(ago('2018-05-09T12:00:00Z', Date.parse('2026-11-23T07:00:00Z'), 'en')).toBe('09 May 2018')
    expect(isToday('2026-11-23T12:00:00Z', Date.parse('2026-11-23T12:05:00Z'))).toBe(true)
    expect(isToday('2026-11-20T12:00:00Z', Date.parse('2026-11-23T12:05:00Z'))).toBe(false)
  })
  it('marks midnight with its date on a time axis', () => {
    expect(axisTime(new Date(2026, 10, 23).getTime(), 3600, 'en')).toBe('23 Nov')
    expect(axisTime(new Date(2026, 10, 23, 7, 30).getTime(), 60, 'en')).toBe('07:30')
  })
})
