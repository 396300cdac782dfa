// The server's explanation of a verdict, read with care: what is absent is left out, never invented.
import type { Span } from './api/types'

export interface DecodingStep {
  name: string
  before: string
  after: string
}
export interface Unit {
  field: string
  text: string
  spans: Span[]
}
export interface RuleHit {
  id: string
  title: string
  attack: string | null
  severity: string | null
  field: string | null
  matched: string[]
}
export interface Explanation {
  raw: string | null
  steps: DecodingStep[]
  units: Unit[]
  rules: RuleHit[]
  score: number | null
  threshold: number | null
  attack: string | null
  outcome: string | null
  target: string | null
  /** Stretches of the target as logged that rules matched. */
  targetSpans: Span[]
  /** Everything else that the explanation says, as written by the server. */
  rest: Record<string, unknown>
}

type Bag = Record<string, unknown>
const bag = (value: unknown): Bag =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Bag) : {}
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

const span = (value: unknown): Span[] => {
  const [start, end] = Array.isArray(value)
    ? [number(value[0]), number(value[1])]
    : [number(bag(value).start), number(bag(value).end)]
  return start !== null && end !== null && end > start && start >= 0 ? [{ start, end }] : []
}

const KNOWN = new Set([
  'raw',
  'line',
  'event',
  'steps',
  'decoding',
  'units',
  'rules',
  'score',
  'threshold',
  'attack',
  'outcome',
])

export function readExplanation(answer: Record<string, unknown>): Explanation {
  const event = bag(answer.event)
  const units = list(answer.units)
    .map(bag)
    .map(unit => ({
      field: text(unit.field) ?? text(unit.name) ?? '',
      text: text(unit.text) ?? text(unit.value) ?? '',
      spans: list(unit.spans).flatMap(span),
    }))
  const target = text(event.target)
  const whole = units.find(unit => unit.text === target)
  return {
    raw: text(answer.raw) ?? text(answer.line),
    steps: list(answer.steps ?? answer.decoding)
      .map(bag)
      .map(step => ({
        name: text(step.step) ?? text(step.name) ?? '',
        before: text(step.before) ?? '',
        after: text(step.after) ?? text(step.text) ?? '',
      })),
    units,
    rules: list(answer.rules).map(one => {
      const rule = typeof one === 'string' ? { id: one } : bag(one)
      return {
        id: text(rule.id) ?? text(bag(one).rule) ?? '',
        title: text(bag(one).title) ?? '',
        attack: text(bag(one).attack),
        severity: text(bag(one).severity),
        field: text(bag(one).field),
        matched: list(bag(one).matched).flatMap(m => text(m) ?? text(bag(m).text) ?? []),
      }
    }),
    score: number(answer.score) ?? number(event.score),
    threshold: number(answer.threshold),
    attack: text(answer.attack) ?? text(event.attack),
    outcome: text(answer.outcome) ?? text(event.outcome),
    target,
    targetSpans: list(answer.target_spans)
      .flatMap(span)
      .concat(whole?.spans ?? []),
    rest: Object.fromEntries(
      Object.entries(answer).filter(
        ([key, value]) => !KNOWN.has(key) && value !== null && value !== undefined,
      ),
    ),
  }
}
