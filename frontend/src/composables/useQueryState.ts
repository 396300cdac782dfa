// The one question that the page asks: time range, site and filter. It lives in the address, so that
// links are shareable and "back" works; every panel reads it from here.
import { computed } from 'vue'
import { type LocationQuery, useRoute, useRouter } from 'vue-router'
import * as filter from '@/query/filter'
import { DEFAULT_FROM, isOpen, type Range, validEnd } from '@/query/range'
import { opening } from './useMeta'

const text = (query: LocationQuery, name: string): string | null => {
  const value = query[name]
  const one = Array.isArray(value) ? value[0] : value
  return one ? one : null
}

/** The range in an address: nothing said is what the page opened with, `from=all` is everything. */
export function rangeOf(query: LocationQuery, otherwise: string | null = DEFAULT_FROM): Range {
  const from = text(query, 'from')
  const to = text(query, 'to')
  const end = to && validEnd(to) ? to : null
  if (from === 'all') return { from: null, to: end }
  if (from && validEnd(from)) return { from, to: end }
  return end ? { from: null, to: end } : { from: otherwise, to: null }
}

export function useQueryState() {
  const route = useRoute()
  const router = useRouter()

  const range = computed(() => rangeOf(route.query, opening.value))
  const site = computed(() => text(route.query, 'site'))
  const q = computed(() => text(route.query, 'q') ?? '')
  const terms = computed(() => filter.parse(q.value))
  /** What the API is asked with. */
  const params = computed(() => ({
    from: range.value.from,
    to: range.value.to,
    site: site.value,
    q: filter.format(terms.value) || null,
  }))
  const open = computed(() => isOpen(range.value))
  /** The part of the address that goes along from page to page. */
  const carried = computed(() => {
    const query: Record<string, string> = {}
    for (const name of ['from', 'to', 'site', 'q']) {
      const value = text(route.query, name)
      if (value) query[name] = value
    }
    return query
  })

  function change(next: Record<string, string | null>): void {
    const query: Record<string, string> = {}
    for (const [name, value] of Object.entries({ ...route.query, ...next }))
      if (typeof value === 'string' && value !== '') query[name] = value
    void router.push({ query, hash: route.hash })
  }

  const setRange = (next: Range) => change({ from: next.from ?? 'all', to: next.to })
  const setSite = (next: string | null) => change({ site: next })
  const setTerms = (next: filter.Term[]) => change({ q: filter.format(next) })
  const only = (field: string, value: string | number | null, negated = false) =>
    setTerms(filter.add(terms.value, filter.termFor(field, value, negated)))

  return { range, site, q, terms, params, open, carried, setRange, setSite, setTerms, only }
}
