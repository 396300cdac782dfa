import { expect, it } from 'vitest'
import type { LogEvent } from '@/api/types'
import { KEPT, merge } from '@/composables/useTail'
import { asLine, columnTracks } from '@/events'
import { event, random } from '../mock/traffic.mjs'

const next = random(1)
const make = (position: number): LogEvent => event(next, position, Date.UTC(2026, 10, 23, 7)) as LogEvent

it('puts fresh events before the rest, none twice, and never keeps more than its share', () => {
  const [a, b, c] = [make(1), make(2), make(3)]
  expect(merge([b, a], [c, b]).map(row => row.position)).toEqual([3, 2, 1])
  expect(merge([a], [a])).toEqual([a])
  expect(
    merge(
      [],
      Array.from({ length: KEPT + 50 }, (_, i) => make(i)),
    ),
  ).toHaveLength(KEPT)
})

it('writes an event as a line of the combined format, with hostile bytes escaped', () => {
  const line = asLine({
    ...make(1),
    client_ip: '203.0.113.7',
    user: 'a b',
    method: 'GET',
    target: '/x"\u001b\n\\',
    protocol: 'HTTP/1.1',
    status: null,
    bytes: 12,
    referer: null,
    user_agent: 'curl',
  })
  expect(line).toBe(
    '203.0.113.7 - a_b [23/Nov/2026:07:00:00 +0000] "GET /x\\x22\\x1B\\x0A\\x5C HTTP/1.1" - 12 "-" "curl"',
  )
})

it('gives every set of columns tracks that fill the width', () => {
  expect(columnTracks(['time', 'target']).tracks).toBe('9.5rem minmax(10rem, 1fr)')
  expect(columnTracks(['time', 'status']).tracks).toBe('9.5rem 3.2rem 1fr')
})
