// The colours that a chart is given. They are defined in styles/main.css, once for light and once for dark.

export interface Palette {
  shade: 'light' | 'dark'
  text: string
  muted: string
  line: string
  panel: string
  accent: string
  bad: string
  warn: string
  good: string
  land: string
  /** From few to many, ordinary requests. */
  heat: [string, string]
  /** From few to many, attacks. */
  alarm: [string, string]
  series: string[]
}
