// Calls of the server's API: one typed function for reading, and the few that change something.
import { ref } from 'vue'
import type * as T from './types'

/** Every address that is read, and what it answers. */
export interface Reads {
  '/api/meta': T.Meta
  '/api/totals': T.Totals
  '/api/series': T.Series
  [top: `/api/top/${string}`]: T.Top
  '/api/events': T.EventPage
  [event: `/api/events/${string}`]: T.LogEvent
  [actor: `/api/actor/${string}`]: T.Actor
  '/api/explain': Record<string, unknown>
  '/api/incidents': T.IncidentPage
  [incident: `/api/incidents/${string}`]: T.Incident
  '/api/rejects': T.Rejects
  '/api/sources': T.Sources
  '/api/health': T.Health
}
export type Params = Record<string, string | number | boolean | null | undefined>

/** The server's refusal: its sentence, and the status (0: it did not answer at all). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail)
  }
}

/** True while the server wants a password. */
export const loginNeeded = ref(false)

/** An address with its parameters; null, undefined and empty ones are left out. */
export function address(path: string, params: Params = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params))
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value))
  const text = search.toString()
  return text ? `${path}?${text}` : path
}

export const read = <P extends keyof Reads>(
  path: P,
  params?: Params,
  signal?: AbortSignal,
): Promise<Reads[P]> => call(address(path, params), { signal })

export const explainLine = (line: string, signal?: AbortSignal): Promise<Record<string, unknown>> =>
  call('/api/explain', { ...body({ line }), signal })

export const decide = (
  id: string,
  decision: { status?: T.Status; note?: string; revision: number },
): Promise<T.Incident> => call(`/api/incidents/${encodeURIComponent(id)}`, body(decision))

export async function login(password: string): Promise<void> {
  await call('/api/login', body({ password }))
  loginNeeded.value = false
}

export async function logout(): Promise<void> {
  await call('/api/logout', body({}))
  loginNeeded.value = true
}

const body = (value: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

async function call<Answer>(url: string, init: RequestInit): Promise<Answer> {
  let answer: Response
  try {
    answer = await fetch(url, { ...init, credentials: 'same-origin' })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, '')
  }
  if (answer.ok) return (await answer.json().catch(() => ({}))) as Answer
  if (answer.status === 401 && !url.startsWith('/api/login')) loginNeeded.value = true
  throw new ApiError(answer.status, await detail(answer))
}

/** The sentence in the answer's body; FastAPI gives a list of problems for malformed parameters. */
async function detail(answer: Response): Promise<string> {
  const problem: unknown = await answer.json().catch(() => null)
  if (typeof problem !== 'object' || problem === null || !('detail' in problem)) return ''
  if (typeof problem.detail === 'string') return problem.detail
  return Array.isArray(problem.detail) ? problem.detail.map(p => String(p?.msg ?? '')).join('; ') : ''
}
