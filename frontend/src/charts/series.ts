// Counts over time as chart options: stacked bars of one axis, or normal against abnormal on two.
import type { EChartsCoreOption } from 'echarts/core'
import type { Series, SeriesLine } from '@/api/types'
import { axisTime, compact, count, dateTime, type Language, span } from '@/format'
import type { Palette } from './palette'
import { tooltipHtml, tooltipStyle } from './tooltip'

export interface SeriesLook {
  palette: Palette
  language: Language
  /** The name of a series' key in the reader's language. */
  name: (key: string) => string
  animate: boolean
}

type Point = [number, number]
const points = (line: SeriesLine): Point[] => line.t.map((t, i) => [Date.parse(t), line.requests[i] ?? 0])

/** The colour of a key: statuses by their class, verdicts by their meaning, the rest in order. */
export function seriesColour(key: string, index: number, palette: Palette): string {
  if (key === 'all' || key === 'normal') return palette.accent
  if (key === 'abnormal') return palette.bad
  const statusClass = /^([1-5])(\d\d|xx)$/.exec(key)?.[1]
  if (statusClass === '2') return palette.accent
  if (statusClass === '3') return palette.series[1] ?? palette.accent
  if (statusClass === '4') return palette.warn
  if (statusClass === '5') return palette.bad
  return palette.series[index % palette.series.length] ?? palette.accent
}

/** The time axis ends where the last step ends, so that its bar is not cut. */
function timeAxis(series: Series, look: SeriesLook) {
  const times = series.series[0]?.t ?? []
  const start = Date.parse(times[0] ?? series.start ?? '1970-01-01T00:00:00Z')
  return {
    type: 'time' as const,
    min: start,
    max: start + Math.max(1, times.length) * series.step_s * 1000,
    axisLine: { lineStyle: { color: look.palette.line } },
    axisTick: { show: false },
    splitLine: { show: false },
    axisLabel: {
      color: look.palette.muted,
      fontSize: 11,
      hideOverlap: true,
      formatter: (ms: number) => axisTime(ms, series.step_s, look.language),
    },
  }
}

const valueAxis = (look: SeriesLook, colour: string, right = false) => ({
  type: 'value' as const,
  position: right ? ('right' as const) : ('left' as const),
  minInterval: 1,
  splitNumber: 4,
  axisLabel: { color: colour, fontSize: 11, formatter: (n: number) => compact(n, look.language) },
  splitLine: { show: !right, lineStyle: { color: look.palette.line, type: 'dashed' as const } },
})

function tooltip(series: Series, look: SeriesLook) {
  return {
    ...tooltipStyle(look.palette),
    trigger: 'axis' as const,
    axisPointer: { type: 'line' as const, lineStyle: { color: look.palette.muted, width: 1 } },
    formatter: (hovered: unknown) => {
      const rows = (Array.isArray(hovered) ? hovered : [hovered]) as {
        seriesName: string
        color: string
        value: Point
      }[]
      const at = rows[0]?.value[0]
      if (at === undefined) return ''
      return tooltipHtml(
        dateTime(new Date(at).toISOString(), look.language),
        rows.map(row => ({
          colour: row.color,
          name: row.seriesName,
          value: count(row.value[1], look.language),
        })),
        span(series.step_s, look.language),
      )
    },
  }
}

const base = (look: SeriesLook) => ({
  animation: look.animate,
  animationDuration: 150,
  animationDurationUpdate: 150,
  textStyle: { fontFamily: 'inherit' },
  grid: { left: 4, right: 8, top: 10, bottom: 2, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
})

/** Requests of every step as bars, the series stacked on each other. */
export function stackedOption(series: Series, look: SeriesLook): EChartsCoreOption {
  return {
    ...base(look),
    tooltip: tooltip(series, look),
    xAxis: timeAxis(series, look),
    yAxis: valueAxis(look, look.palette.muted),
    series: series.series.map((line, index) => ({
      id: line.key,
      name: look.name(line.key),
      type: 'bar',
      stack: 'requests',
      barCategoryGap: '18%',
      large: false,
      color: seriesColour(line.key, index, look.palette),
      emphasis: { disabled: true },
      data: points(line),
    })),
  }
}

/** Normal requests on the left axis, abnormal ones on the right: a few attacks stay visible in much traffic. */
export function versusOption(series: Series, look: SeriesLook): EChartsCoreOption {
  const find = (key: string) => series.series.find(line => line.key === key)
  const normal = find('normal')
  const abnormal = find('abnormal')
  return {
    ...base(look),
    tooltip: tooltip(series, look),
    xAxis: timeAxis(series, look),
    yAxis: [valueAxis(look, look.palette.accent), valueAxis(look, look.palette.bad, true)],
    series: [
      {
        id: 'abnormal',
        name: look.name('abnormal'),
        type: 'bar',
        yAxisIndex: 1,
        barCategoryGap: '18%',
        color: look.palette.bad,
        emphasis: { disabled: true },
        data: abnormal ? points(abnormal) : [],
      },
      {
        id: 'normal',
        name: look.name('normal'),
        type: 'line',
        yAxisIndex: 0,
        color: look.palette.accent,
        lineStyle: { width: 1.5 },
        symbol: 'none',
        emphasis: { disabled: true },
        data: normal ? points(normal) : [],
      },
    ],
  }
}

/** Times of an incident's evidence as marks on one line, coloured by whether they likely worked. */
export function evidenceOption(
  marks: { time: string; label: string; worked: boolean }[],
  ends: [string, string],
  look: SeriesLook,
): EChartsCoreOption {
  const from = Date.parse(ends[0])
  const to = Math.max(Date.parse(ends[1]), from + 1000)
  const room = (to - from) * 0.03
  return {
    ...base(look),
    tooltip: {
      ...tooltipStyle(look.palette),
      trigger: 'item',
      formatter: (hovered: unknown) => {
        const mark = marks[(hovered as { dataIndex: number }).dataIndex]
        return mark
          ? tooltipHtml(dateTime(mark.time, look.language), [
              { colour: mark.worked ? look.palette.bad : look.palette.accent, name: mark.label, value: '' },
            ])
          : ''
      },
    },
    xAxis: {
      type: 'time',
      min: from - room,
      max: to + room,
      axisLine: { lineStyle: { color: look.palette.line } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: {
        color: look.palette.muted,
        fontSize: 11,
        hideOverlap: true,
        formatter: (ms: number) => axisTime(ms, (to - from) / 1000 < 600 ? 1 : 60, look.language),
      },
    },
    yAxis: { type: 'value', min: 0, max: 2, show: false },
    series: [
      {
        type: 'scatter',
        symbolSize: 9,
        data: marks.map(mark => ({
          value: [Date.parse(mark.time), 1],
          itemStyle: { color: mark.worked ? look.palette.bad : look.palette.accent, opacity: 0.75 },
        })),
      },
    ],
  }
}
