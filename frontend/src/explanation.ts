// The server's explanation of a verdict, read with care: what is absent is left out, never invented.
import type { Span } from './api/types'

export interface DecodingStep {
  name: string
  after: string
}
export interface Match {
  rule: string
  title: string
  attack: string | null
  confidence: number | null
}
/** One decoded part of the request, and all that was found about it. */
export interface Unit {
  field: string
  kind: string
  text: string
  /** What rules matched, in the decoded text. */
  spans: Span[]
  decoding: DecodingStep[]
  rules: Match[]
  hints: string[]
  /** The classifier's probability; null: it has nothing to say. */
  model: number | null
  ngrams: { text: string; weight: number }[]
  verification: string[]
  score: number | null
  attack: string | null
}
export interface Explanation {
  raw: string | null
  format: string | null
  /** Why the line is no event; null: it is one. */
  reason: string | null
  verdict: string | null
  score: number | null
  threshold: number | null
  attack: string | null
  outcome: string | null
  outcomeReason: string | null
  units: Unit[]
  requestRules: string[]
  /** Parts in which nothing was found. */
  quietUnits: number
  target: string | null
  /** What rules matched, in the target as logged. */
  targetSpans: Span[]
  detector: string | null
}

type Bag = Record<string, unknown>
const bag = (value: unknown): Bag =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Bag) : {}
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const texts = (value: unknown): string[] => list(value).filter(one => typeof one === 'string')
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

/** A pair of offsets in characters as one in UTF-16, for a text that has characters beyond them. */
function span(value: unknown, of: string): Span[] {
  const [start, end] = list(value).map(number)
  if (start == null || end == null || start < 0 || end <= start) return []
  if (!/[\ud800-\udbff]/.test(of)) return [{ start, end }]
  const characters = [...of]
  const at = (n: number) => characters.slice(0, n).join('').length
  return [{ start: at(start), end: at(end) }]
}

function readUnit(value: unknown): Unit {
  const unit = bag(value)
  const shown = text(unit.text) ?? ''
  const rules = list(unit.rules).map(bag)
  return {
    field: text(unit.field) ?? '',
    kind: text(unit.kind) ?? '',
    text: shown,
    spans: rules.flatMap(rule => list(rule.spans).flatMap(one => span(one, shown))),
    decoding: list(unit.decoding)
      .map(list)
      .map(([name, after]) => ({ name: text(name) ?? '', after: text(after) ?? '' })),
    rules: rules.map(rule => ({
      rule: text(rule.rule) ?? '',
      title: text(rule.title) ?? '',
      attack: text(rule.attack),
      confidence: number(rule.confidence),
    })),
    hints: texts(unit.hints),
    model: number(unit.model),
    ngrams: list(unit.ngrams)
      .map(list)
      .flatMap(([gram, weight]) => {
        const n = number(weight)
        return typeof gram === 'string' && n !== null ? [{ text: gram, weight: n }] : []
      }),
    verification: texts(unit.verification),
    score: number(unit.score),
    attack: text(unit.attack),
  }
}

export function readExplanation(answer: Record<string, unknown>): Explanation {
  const event = bag(answer.event)
  const target = text(event.target)
  return {
    raw: text(answer.line),
    format: text(answer.format),
    reason: text(answer.reason),
    verdict: text(answer.verdict),
    score: number(answer.score) ?? number(event.score),
    threshold: number(answer.threshold),
    attack: text(answer.attack) ?? text(event.attack),
    outcome: text(answer.outcome) ?? text(event.outcome),
    outcomeReason: text(answer.outcome_reason),
    units: list(answer.units).map(readUnit),
    requestRules: texts(answer.request_rules),
    quietUnits: number(answer.quiet_units) ?? 0,
    target,
    targetSpans: target === null ? [] : list(answer.target_spans).flatMap(one => span(one, target)),
    detector: text(answer.detector),
  }
}
