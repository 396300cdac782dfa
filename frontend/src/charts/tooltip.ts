// The one place where a chart's tooltip becomes HTML: every text goes through escapeHtml.
import { escapeHtml } from '@/text'
import type { Palette } from './palette'

export interface TooltipRow {
  colour: string
  name: string
  value: string
}

export function tooltipHtml(title: string, rows: TooltipRow[], note = ''): string {
  const lines = rows.map(
    row =>
      `<div style="display:flex;gap:8px;align-items:center"><span style="width:8px;height:8px;border-radius:2px;background:${escapeHtml(row.colour)}"></span><span style="flex:1">${escapeHtml(row.name)}</span><b style="font-variant-numeric:tabular-nums">${escapeHtml(row.value)}</b></div>`,
  )
  const foot = note ? `<div style="opacity:.7;margin-top:2px">${escapeHtml(note)}</div>` : ''
  return `<div style="font-size:12px;line-height:1.5;min-width:130px"><div style="margin-bottom:2px">${escapeHtml(title)}</div>${lines.join('')}${foot}</div>`
}

/** How every tooltip looks. `confine` keeps it inside the chart on narrow screens. */
export const tooltipStyle = (palette: Palette) => ({
  confine: true,
  backgroundColor: palette.panel,
  borderColor: palette.line,
  borderWidth: 1,
  padding: [6, 10],
  textStyle: { color: palette.text },
  extraCssText: 'box-shadow:0 2px 8px rgb(0 0 0/.18);border-radius:6px',
  transitionDuration: 0,
})
