import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync('src/styles/main.css', 'utf8')
const block = (selector: string): Record<string, string> => {
  const body = css.slice(css.indexOf(`${selector} {`)).split('}')[0] ?? ''
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(m => [m[1], m[2]]))
}
/** Relative luminance and contrast ratio as WCAG 2.2 defines them. */
const luminance = (hex: string): number => {
  const [r, g, b] = [1, 3, 5]
    .map(i => Number.parseInt(hex.slice(i, i + 2), 16) / 255)
    .map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0)
}
const ratio = (a: string, b: string): number => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}
const TEXT: [string, string][] = [
  ['text', 'bg'],
  ['text', 'panel'],
  ['text', 'raised'],
  ['text', 'bar'],
  ['text', 'bad-soft'],
  ['muted', 'bg'],
  ['muted', 'panel'],
  ['muted', 'raised'],
  ['muted', 'bar'],
  ['muted', 'bad-soft'],
  ['accent', 'panel'],
  ['accent', 'bg'],
  ['accent', 'accent-soft'],
  ['on-accent', 'accent'],
  ['bad', 'panel'],
  ['bad', 'bad-soft'],
  ['bad', 'bar'],
  ['panel', 'bad'],
  ['warn', 'panel'],
  ['warn', 'warn-soft'],
  ['good', 'panel'],
  ['good', 'good-soft'],
]
const SHAPES = [
  'accent',
  'bad',
  'warn',
  'series-1',
  'series-2',
  'series-3',
  'series-4',
  'series-5',
  'series-6',
  'heat-1',
  'alarm-1',
]

describe.each([[':root'], ['[data-theme="dark"]']])('colours of %s', selector => {
  const colours = block(selector)
  const colour = (name: string): string => colours[name] ?? '#000000'
  it('set text off its ground by 4.5 to 1', () => {
    expect(
      TEXT.filter(([a, b]) => ratio(colour(a), colour(b)) < 4.5).map(
        ([a, b]) => `${a} on ${b}: ${ratio(colour(a), colour(b)).toFixed(2)}`,
      ),
    ).toEqual([])
  })
  it('set charts off their panel by about 3 to 1', () => {
    expect(SHAPES.filter(name => ratio(colour(name), colour('panel')) < 2.9)).toEqual([])
  })
  it('are all defined', () => {
    expect(Object.keys(colours).sort()).toEqual(Object.keys(block(':root')).sort())
  })
})
