// Light, dark or as the system has it; and the colours of charts, read from the style sheet.
import { computed, readonly, ref, watchEffect } from 'vue'
import type { Palette } from '@/charts/palette'
import { keep, recall } from '@/storage'

export type Theme = 'light' | 'dark' | 'system'

const system = matchMedia('(prefers-color-scheme: dark)')
const systemDark = ref(system.matches)
system.addEventListener('change', event => {
  systemDark.value = event.matches
})

const stored = recall('theme')
const chosen = ref<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system')
const dark = computed(() => (chosen.value === 'system' ? systemDark.value : chosen.value === 'dark'))

watchEffect(
  () => {
    document.documentElement.dataset.theme = dark.value ? 'dark' : 'light'
  },
  { flush: 'sync' },
)

export const theme = readonly(chosen)

export function setTheme(next: Theme): void {
  chosen.value = next
  keep('theme', next)
}

/** The colours that charts paint with; changes with the theme. */
export const palette = computed<Palette>(() => {
  const shade = dark.value ? 'dark' : 'light'
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    shade,
    text: colour('text'),
    muted: colour('muted'),
    line: colour('line'),
    panel: colour('panel'),
    accent: colour('accent'),
    bad: colour('bad'),
    warn: colour('warn'),
    good: colour('good'),
    land: colour('land'),
    heat: [colour('heat-0'), colour('heat-1')],
    alarm: [colour('alarm-0'), colour('alarm-1')],
    series: [1, 2, 3, 4, 5, 6].map(n => colour(`series-${n}`)),
  }
})

export const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)').matches
