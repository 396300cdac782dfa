import { describe, expect, it } from 'vitest'
import type { Series, TopRow } from '@/api/types'
import { mapOption, shade } from '@/charts/map'
import type { Palette } from '@/charts/palette'
import { seriesColour, stackedOption, versusOption } from '@/charts/series'

const palette: Palette = {
  shade: 'light',
  text: '#000',
  muted: '#666',
  line: '#ddd',
  panel: '#fff',
  accent: '#00f',
  bad: '#f00',
  warn: '#fa0',
  good: '#0a0',
  land: '#eee',
  heat: ['#eef', '#00f'],
  alarm: ['#fee', '#f00'],
  series: ['#1', '#2', '#3'],
}
const look = { palette, language: 'en' as const, name: (key: string) => `«${key}»`, animate: false }
const t = ['2026-11-23T07:00:00Z', '2026-11-23T07:01:00Z']
const start = Date.parse(t[0] as string)
const series = (keys: string[]): Series => ({
  start: t[0] as string,
  step_s: 60,
  answered_from: 'rollups',
  series: keys.map((key, i) => ({ key, t, requests: [i, 10 + i], bytes: [0, 0], attacks: [0, 0] })),
})
type Drawn = { id?: string; name?: string; data: unknown[]; yAxisIndex?: number; type: string }
const drawn = (option: ReturnType<typeof stackedOption>) => option.series as Drawn[]

describe('requests over time', () => {
  it('stacks a bar of every step and series', () => {
    const option = stackedOption(series(['2xx', '5xx']), look)
    expect(drawn(option).map(s => [s.id, s.name, s.type, s.data])).toEqual([
      [
        '2xx',
        '«2xx»',
        'bar',
        [
          [start, 0],
          [start + 60_000, 10],
        ],
      ],
      [
        '5xx',
        '«5xx»',
        'bar',
        [
          [start, 1],
          [start + 60_000, 11],
        ],
      ],
    ])
  })
  it('ends its time axis where the last step ends', () => {
    expect(stackedOption(series(['all']), look).xAxis).toMatchObject({ min: start, max: start + 120_000 })
  })
  it('shows normal and abnormal on two axes, whatever their order', () => {
    const option = versusOption(series(['abnormal', 'normal']), look)
    expect(drawn(option).map(s => [s.id, s.type, s.yAxisIndex])).toEqual([
      ['abnormal', 'bar', 1],
      ['normal', 'line', 0],
    ])
    expect(option.yAxis).toHaveLength(2)
  })
  it('draws nothing, and does not fail, without events', () => {
    const none: Series = { start: null, step_s: 60, series: [], answered_from: 'events' }
    expect(drawn(stackedOption(none, look))).toEqual([])
    expect(drawn(versusOption(none, look)).map(s => s.data)).toEqual([[], []])
  })
  it('gives statuses the colour of their class', () => {
    expect(
      ['200', '3xx', '404', '5xx', 'normal', 'abnormal', 'GET'].map(key => seriesColour(key, 0, palette)),
    ).toEqual(['#00f', '#2', '#fa0', '#f00', '#00f', '#f00', '#1'])
  })
  it('escapes names in its tooltip', () => {
    const option = stackedOption(series(['all']), look)
    const formatter = (option.tooltip as { formatter: (rows: unknown) => string }).formatter
    expect(
      formatter([{ seriesName: '<img src=x onerror=alert(1)>', color: '#00f', value: [start, 3] }]),
    ).not.toContain('<img')
  })
})

describe('the map', () => {
  const row = (value: string | null, requests: number): TopRow => ({
    value,
    requests,
    bytes: 0,
    attacks: 0,
    errors: 0,
    share: 0.5,
  })
  it('shades lands, and puts dots on those too small to be seen', () => {
    const option = mapOption(
      [row('US', 100), row('SG', 10), row(null, 5)],
      { SG: [103.8, 1.4] },
      { palette, language: 'en', ramp: 'heat', animate: false },
    )
    const [lands, dots] = option.series as { data: { name: string; value: unknown }[] }[]
    expect(lands?.data.map(d => d.name)).toEqual(['US', 'SG'])
    expect(dots?.data.map(d => d.name)).toEqual(['SG'])
  })
  it('shades from nothing to the most', () => {
    expect([shade(0, 100), shade(100, 100)]).toEqual([0, 1])
    expect(shade(10, 100)).toBeGreaterThan(0.2)
  })
})
