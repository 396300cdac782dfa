// Requests by country as chart options: lands shaded by the logarithm of their count, small ones as dots.
import type { EChartsCoreOption } from 'echarts/core'
import type { TopRow } from '@/api/types'
import { count, country, type Language, percent } from '@/format'
import type { Palette } from './palette'
import { tooltipHtml, tooltipStyle } from './tooltip'

export interface MapLook {
  palette: Palette
  language: Language
  /** Which colours: ordinary requests or attacks. */
  ramp: 'heat' | 'alarm'
  animate: boolean
}

/** Middles of the lands too small to be seen, [longitude, latitude] by ISO alpha-2. */
export type Places = Record<string, number[]>

/** 0 to 1, the square of a logarithmic scale: one large country does not hide the rest, and still stands out. */
export const shade = (n: number, most: number): number =>
  n <= 0 ? 0 : (Math.log1p(n) / Math.log1p(Math.max(most, 1))) ** 2

export function mapOption(rows: TopRow[], places: Places, look: MapLook): EChartsCoreOption {
  const known = rows.filter(
    (row): row is TopRow & { value: string } => row.value !== null && row.requests > 0,
  )
  const most = Math.max(0, ...known.map(row => row.requests))
  const by = new Map(known.map(row => [row.value, row]))
  const ramp = look.palette[look.ramp]
  return {
    animation: look.animate,
    textStyle: { fontFamily: 'inherit' },
    tooltip: {
      ...tooltipStyle(look.palette),
      trigger: 'item',
      formatter: (hovered: unknown) => {
        const code = (hovered as { name: string }).name
        const row = by.get(code)
        if (!row) return ''
        return tooltipHtml(country(code, look.language), [
          {
            colour: ramp[1],
            name: percent(row.share, look.language),
            value: count(row.requests, look.language),
          },
        ])
      },
    },
    visualMap: { show: false, min: 0, max: 1, dimension: 0, inRange: { color: ramp }, seriesIndex: 0 },
    geo: {
      map: 'world',
      roam: false,
      left: 0,
      right: 0,
      top: 4,
      bottom: 4,
      silent: false,
      itemStyle: { areaColor: look.palette.land, borderColor: look.palette.panel, borderWidth: 0.6 },
      emphasis: { label: { show: false }, itemStyle: { areaColor: look.palette.land } },
      select: { disabled: true },
      tooltip: { show: false },
    },
    series: [
      {
        type: 'map',
        geoIndex: 0,
        data: known.map(row => ({ name: row.value, value: shade(row.requests, most) })),
      },
      {
        type: 'scatter',
        coordinateSystem: 'geo',
        symbolSize: (value: number[]) => 4 + 7 * (value[2] ?? 0),
        itemStyle: { color: ramp[1], opacity: 0.85, borderColor: look.palette.panel, borderWidth: 1 },
        data: known
          .filter(row => places[row.value])
          .map(row => ({
            name: row.value,
            value: [...(places[row.value] ?? []), shade(row.requests, most)],
          })),
      },
    ],
  }
}
