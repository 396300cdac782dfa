// A stand-in for the server: the API of the page over generated traffic, the built page, and the same
// security headers. `node mock/server.mjs [--port 8790] [--scenario full|empty|error|auth|slow] [--rate 20] [--events 20000]`
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { event, history, random } from './traffic.mjs'

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`)
  return at > 0 ? process.argv[at + 1] : otherwise
}
const port = Number(option('port', 8790))
const scenario = option('scenario', 'full')
const rate = Number(option('rate', 20))
const STATIC = fileURLToPath(new URL('../../src/logvision/web/static', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}
const CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

const events = scenario === 'empty' ? [] : history(7, Number(option('events', 20000)), Date.now())
const next = random(99)
let position = 10_000_000
let loggedIn = scenario !== 'auth'

// ---- the question ----
const UNITS = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }
const bound = text => {
  const moving = /^now-(\d+)([smhdw])$/.exec(text ?? '')
  return moving ? Date.now() - Number(moving[1]) * UNITS[moving[2]] : text ? Date.parse(text) : null
}
function termsOf(q) {
  const out = []
  for (const m of (q ?? '').matchAll(/(-?)(?:([a-z_]+):)?(?:"((?:\\.|[^"\\])*)"|(\S+))/g))
    out.push({
      negated: m[1] === '-',
      field: m[2] ?? null,
      value: m[3] !== undefined ? m[3].replace(/\\(.)/g, '$1') : m[4],
    })
  return out
}
function matches(one, term) {
  if (term.value === '-' && term.field) return one[term.field] === null
  if (!term.field) return (one.target ?? '').includes(term.value)
  const field = { client: 'client_ip', ip: 'client_ip' }[term.field] ?? term.field
  const values = field === 'rules' ? one.rules : [one[field]]
  return values.some(raw => {
    if (raw === null || raw === undefined) return false
    const value = String(raw)
    if (/^[1-5]xx$/.test(term.value) && field === 'status') return value[0] === term.value[0]
    if (!term.value.includes('*')) return value === term.value
    const core = term.value.replace(/^\*|\*$/g, '')
    const [open, close] = [term.value.startsWith('*'), term.value.endsWith('*')]
    return open && close ? value.includes(core) : open ? value.endsWith(core) : value.startsWith(core)
  })
}
function ask(params) {
  const [from, to, site] = [bound(params.get('from')), bound(params.get('to')), params.get('site')]
  const terms = termsOf(params.get('q'))
  const abnormal = params.get('abnormal')
  return events.filter(one => {
    const t = Date.parse(one.time)
    if ((from !== null && t < from) || (to !== null && t >= to) || (site && one.site !== site)) return false
    if (abnormal && (abnormal === 'true') !== (one.attack !== null)) return false
    return terms.every(term => matches(one, term) !== term.negated)
  })
}
const sum = (list, of) => list.reduce((n, one) => n + of(one), 0)
const good = one => one.status !== null && one.status >= 200 && one.status < 400

// ---- the answers ----
function totals(list) {
  const success = list.filter(good).length
  const attacks = list.filter(one => one.attack).length
  return {
    requests: list.length,
    success,
    other: list.length - success,
    client_errors: list.filter(o => o.status >= 400 && o.status < 500).length,
    server_errors: list.filter(o => o.status >= 500).length,
    visitors: new Set(list.map(o => o.client_ip)).size,
    resources: new Set(list.map(o => o.path)).size,
    bytes: sum(list, o => o.bytes ?? 0),
    log_bytes: events.length * 217,
    attacks,
    normal: list.length - attacks,
    incidents_open: incidents.filter(i => i.status === 'open').length,
    read: events.length ? events.length + 23 : 0,
    events: events.length,
    rejects: events.length ? 18 : 0,
    filtered: events.length ? 5 : 0,
    rate_now: events.length ? rate : 0,
    first: events[0]?.time ?? null,
    last: events.at(-1)?.time ?? null,
    answered_from: list.length > 5000 ? 'rollups' : 'events',
  }
}
function series(params) {
  const list = ask(params)
  const steps = [1, 5, 10, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400]
  const [oldest, newest] = [events[0], events.at(-1)].map(one => (one ? Date.parse(one.time) : null))
  const start = bound(params.get('from')) ?? oldest
  const end = bound(params.get('to')) ?? (newest === null ? null : newest + 1)
  if (start === null || end === null || start >= end)
    return { step_s: 1, start: null, series: [], answered_from: 'events' }
  const step = steps.find(s => (end - start) / 1000 / s <= Number(params.get('points') ?? 120)) ?? 86400
  const first = Math.floor(start / 1000 / step) * step
  const n = Math.max(1, Math.ceil((end / 1000 - first) / step))
  const by = params.get('by') ?? 'all'
  const key = o =>
    by === 'attack'
      ? o.attack
        ? 'abnormal'
        : 'normal'
      : by === 'status'
        ? `${String(o.status ?? 0)[0]}xx`
        : by === 'kind'
          ? o.kind
          : 'all'
  const keys =
    by === 'attack' ? ['normal', 'abnormal'] : by === 'all' ? ['all'] : [...new Set(list.map(key))].sort()
  const t = Array.from({ length: n }, (_, i) => new Date((first + i * step) * 1000).toISOString())
  const lines = new Map(
    keys.map(k => [
      k,
      { key: k, t, requests: Array(n).fill(0), bytes: Array(n).fill(0), attacks: Array(n).fill(0) },
    ]),
  )
  for (const one of list) {
    const at = Math.floor((Date.parse(one.time) / 1000 - first) / step)
    const line = lines.get(key(one))
    if (!line || at < 0 || at >= n) continue
    line.requests[at] += 1
    line.bytes[at] += one.bytes ?? 0
    if (one.attack) line.attacks[at] += 1
  }
  return { step_s: step, start: t[0], series: [...lines.values()], answered_from: 'rollups' }
}
function top(dimension, params) {
  const list = ask(params)
  const rows = new Map()
  for (const one of list)
    for (const value of dimension === 'rules' ? one.rules : [one[dimension] ?? null]) {
      const key = value === null ? null : String(value)
      const row = rows.get(key) ?? {
        value: key,
        requests: 0,
        bytes: 0,
        attacks: 0,
        errors: 0,
        share: 0,
        country: dimension === 'client_ip' ? one.country : null,
        label: dimension === 'client_ip' ? one.network : null,
      }
      row.requests += 1
      row.bytes += one.bytes ?? 0
      row.attacks += one.attack ? 1 : 0
      row.errors += one.status >= 500 ? 1 : 0
      rows.set(key, row)
    }
  const order = params.get('order') ?? 'requests'
  const all = [...rows.values()].sort((a, b) => b[order] - a[order])
  const kept = all
    .slice(0, Number(params.get('limit') ?? 20))
    .map(r => ({ ...r, share: list.length ? r.requests / list.length : 0 }))
  return {
    rows: kept,
    total: list.length,
    other: sum(all.slice(kept.length), r => r.requests),
    answered_from: 'rollups',
  }
}
function page(params) {
  const limit = Number(params.get('limit') ?? 100)
  const list = ask(params).reverse()
  const at = Number(params.get('cursor') ?? 0)
  return {
    rows: list.slice(at, at + limit),
    next: at + limit < list.length ? String(at + limit) : null,
    answered_from: 'events',
  }
}

// ---- incidents ----
const attacksOf = ip => events.filter(o => o.client_ip === ip && o.attack)
const worst = { worked: 3, unknown: 2, missed: 1, blocked: 0 }
const incidents = [...new Set(events.filter(o => o.attack).map(o => o.client_ip))]
  .map((ip, i) => {
    const list = attacksOf(ip).slice(-60)
    const attacks = {}
    for (const one of list) attacks[one.attack] = (attacks[one.attack] ?? 0) + 1
    const outcome = list.map(o => o.outcome).sort((a, b) => worst[b] - worst[a])[0]
    return {
      id: (0xabcdef + i).toString(16).padStart(32, '0'),
      actor: `ip:${ip}`,
      actor_kind: 'ip',
      site: list[0].site,
      stage: ['recon', 'probe', 'exploit', 'foothold'][i % 4],
      attacks,
      outcome,
      severity: ['critical', 'high', 'medium', 'low', 'info'][i % 5],
      score: Math.max(...list.map(o => o.score)),
      first_seen: list[0].time,
      last_seen: list.at(-1).time,
      events: list.length,
      alerts: 3 + i,
      rules: [...new Set(list.flatMap(o => o.rules))],
      routes: [...new Set(list.map(o => o.route))].slice(0, 6),
      agents: [...new Set(list.map(o => o.user_agent))].slice(0, 4),
      countries: list[0].country ? [list[0].country] : [],
      // One of many addresses that act as one.
      members: i === 0 ? Array.from({ length: 20 }, (_, n) => `ip:2001:db8:85a3::${n + 1}`) : [],
      member_count: i === 0 ? 26 : 1,
      evidence: list.slice(-12).map(o => ({ ...o })),
      summary: `${ip} sent ${list.length} attack requests of ${Object.keys(attacks).length} classes, most of them ${Object.keys(attacks)[0]}.`,
      summary_key: '',
      summary_args: {},
      advice: [
        'Look at what the server answered to /download?file=../../../../etc/passwd.',
        'Change the credentials that the file holds.',
        `Block ${ip} at the edge.`,
      ],
      advice_keys: ['read_answers', 'change_secrets', 'block_actor'],
      part_of: null,
      active: i < 2,
      status: i % 6 === 5 ? 'closed' : 'open',
      note: '',
      revision: 1,
      history: [],
    }
  })
  .sort((a, b) => (a.last_seen < b.last_seen ? 1 : -1))

function explain(one) {
  let decoded = one.target
  try {
    decoded = decodeURIComponent(one.target)
  } catch {
    // Stays as it is: not every percent sign begins a code.
  }
  const spans = one.attack ? [[Math.min(5, decoded.length), Math.min(24, decoded.length)]] : []
  return {
    line: `${one.client_ip} - - [23/Nov/2026:07:00:00 +0000] "${one.method} ${one.target} ${one.protocol}" ${one.status ?? '-'} ${one.bytes ?? '-'}`,
    format: 'combined',
    confidence: 1,
    reason: null,
    event: one,
    verdict: one.attack ? `An attack (${one.attack}).` : 'Ordinary: nothing was found.',
    score: one.score,
    threshold: 0.5,
    attack: one.attack,
    rules: one.rules,
    outcome: one.outcome,
    outcome_reason: one.attack ? 'the status alone does not tell whether it worked' : null,
    target_spans: spans,
    units: one.attack
      ? [
          {
            field: 'target',
            kind: 'value',
            text: decoded,
            decoding: decoded === one.target ? [] : [['percent', decoded]],
            rules: one.rules.map(rule => ({
              rule,
              title: `Looks like ${one.attack}`,
              attack: one.attack,
              confidence: 0.97,
              spans,
              raw_spans: [],
            })),
            hints: ['hint-quote'],
            model: 0.91,
            ngrams: [
              ["' union", 2.1],
              ['select', 1.4],
              ['item', -0.6],
            ],
            verification: ['Read as SQL: a string is closed and a second query begins.'],
            score: one.score,
            attack: one.attack,
          },
        ]
      : [],
    request_rules: [],
    quiet_units: 4,
    detector: '0123abcd',
  }
}
const sources = () =>
  scenario === 'empty'
    ? [
        {
          source: '/var/log/nginx/access.log',
          kind: 'file',
          state: 'waiting',
          detail: 'The file does not exist yet.',
          read_bytes: 0,
          size_bytes: null,
          lag_bytes: null,
          last_read: null,
          events: 0,
          rejects: 0,
          filtered: 0,
          late: 0,
          format: null,
          confidence: null,
          lines_per_second: 0,
        },
      ]
    : [
        {
          source: '/var/log/nginx/access.log',
          kind: 'file',
          state: 'following',
          detail: '',
          read_bytes: events.length * 217,
          size_bytes: events.length * 217 + 512,
          lag_bytes: 512,
          last_read: new Date().toISOString(),
          events: events.length,
          rejects: 18,
          filtered: 5,
          late: 3,
          format: 'combined',
          confidence: 0.998,
          lines_per_second: rate,
        },
        {
          source: '/var/log/apache2/other_vhosts_access.log',
          kind: 'file',
          state: 'lost',
          detail: 'Permission denied: the file belongs to root and group adm.',
          read_bytes: 0,
          size_bytes: null,
          lag_bytes: null,
          last_read: null,
          events: 0,
          rejects: 0,
          filtered: 0,
          late: 0,
          format: null,
          confidence: null,
          lines_per_second: 0,
        },
        {
          source: 'syslog://127.0.0.1:5514',
          kind: 'syslog',
          state: 'listening',
          detail: '',
          read_bytes: 0,
          size_bytes: null,
          lag_bytes: null,
          last_read: null,
          events: 0,
          rejects: 0,
          filtered: 0,
          late: 0,
          format: null,
          confidence: null,
          lines_per_second: 0,
        },
      ]
const REJECTS = {
  by_reason: [
    { reason: 'no_format', count: 11 },
    { reason: 'binary', count: 5 },
    { reason: 'bad_time', count: 2 },
    { reason: 'directive', count: 5 },
  ],
  rows: [
    ['no_format', '\\x16\\x03\\x01\\x02\\x00\\x01\\x00\\x01\\xfc\\x03\\x03 <b>not</b> a request'],
    ['binary', '\u0000\u0000\u0000\u001b]0;owned\u0007'],
    ['bad_time', '203.0.113.7 - - [99/Foo/2026:07:00:00 +0000] "GET / HTTP/1.1" 200 12'],
  ].map(([reason, raw], i) => ({
    reason,
    raw,
    size: raw.length,
    source: '/var/log/nginx/access.log',
    position: 4000 + i,
    read_at: new Date(Date.now() - i * 36e5).toISOString(),
  })),
}

// ---- the wire ----
const listeners = new Set()
const send = (answer, value, status = 200) => {
  answer.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  answer.end(JSON.stringify(value))
}
const bodyOf = async request => {
  let text = ''
  for await (const part of request) text += part
  return text ? JSON.parse(text) : {}
}

async function api(request, answer, url) {
  const path = url.pathname
  const params = url.searchParams
  if (path === '/api/login') {
    loggedIn = (await bodyOf(request)).password === 'correct horse'
    return loggedIn
      ? send(answer, { ok: true })
      : send(answer, { detail: 'That password is not right.' }, 401)
  }
  if (path === '/api/logout') {
    loggedIn = false
    return send(answer, { ok: true })
  }
  if (!loggedIn) return send(answer, { detail: 'Sign in first.' }, 401)
  if (scenario === 'slow') await new Promise(r => setTimeout(r, 4000))
  if (scenario === 'error' && path !== '/api/meta' && path !== '/api/stream')
    return send(answer, { detail: 'The lake cannot be read: /data/events is not there.' }, 503)
  if (path === '/api/meta')
    return send(answer, {
      version: '0.1.0',
      mode: 'embedded',
      sites: events.length ? ['docs.example', 'shop.example'] : [],
      first: events[0]?.time ?? null,
      last: events.at(-1)?.time ?? null,
      attributions: [{ text: 'IP geolocation: example data, CC0', url: 'https://example.org/' }],
      auth_required: scenario === 'auth',
      now: new Date().toISOString(),
      languages: ['en', 'zh'],
    })
  if (path === '/api/totals') return send(answer, totals(ask(params)))
  if (path === '/api/series') return send(answer, series(params))
  if (path.startsWith('/api/top/')) return send(answer, top(path.slice(9), params))
  if (path === '/api/events') return send(answer, page(params))
  if (path.startsWith('/api/events/')) {
    const one = events.find(o => o.id === decodeURIComponent(path.slice(12)))
    return one ? send(answer, one) : send(answer, { detail: 'There is no such event.' }, 404)
  }
  if (path.startsWith('/api/actor/')) {
    const ip = decodeURIComponent(path.slice(11))
    const list = ask(params).filter(o => o.client_ip === ip)
    const tops = of => {
      const by = new Map()
      for (const o of list) by.set(o[of], (by.get(o[of]) ?? 0) + 1)
      return [...by]
        .sort((a, b) => b[1] - a[1])
        .slice(0, 10)
        .map(([value, requests]) => ({
          value: value === null ? null : String(value),
          requests,
          bytes: 0,
          attacks: 0,
          errors: 0,
          share: requests / list.length,
          country: null,
          label: null,
        }))
    }
    return send(answer, {
      client_ip: ip,
      answered_from: 'events',
      first: list[0]?.time ?? null,
      last: list.at(-1)?.time ?? null,
      requests: list.length,
      attacks: list.filter(o => o.attack).length,
      bytes: sum(list, o => o.bytes ?? 0),
      countries: [...new Set(list.map(o => o.country).filter(Boolean))],
      networks: [...new Set(list.map(o => o.network).filter(Boolean))],
      agents: tops('user_agent'),
      routes: tops('route'),
      statuses: tops('status'),
      incidents: incidents.filter(i => i.actor === `ip:${ip}`),
      events: list.slice(-50).reverse(),
    })
  }
  if (path === '/api/explain') {
    if (request.method === 'POST') {
      const { line } = await bodyOf(request)
      if (!line.includes('"')) return send(answer, { detail: 'The line fits no known format.' }, 400)
      return send(
        answer,
        explain({ ...event(random(3), 1, Date.now()), target: line.split('"')[1]?.split(' ')[1] ?? '/' }),
      )
    }
    const one = events.find(o => o.id === params.get('id'))
    return one ? send(answer, explain(one)) : send(answer, { detail: 'There is no such event.' }, 404)
  }
  if (path === '/api/incidents') {
    const status = params.get('status') ?? 'open'
    const unsettled = i => i.status === 'open' || i.status === 'acknowledged'
    const list = incidents.filter(i => status === 'all' || (status === 'open') === unsettled(i))
    const place = i =>
      2 * ['critical', 'high', 'medium', 'low', 'info'].indexOf(i.severity) - (i.outcome === 'worked' ? 1 : 0)
    if (params.get('order') === 'worst') list.sort((a, b) => place(a) - place(b))
    const [at, limit] = [Number(params.get('cursor') ?? 0), Number(params.get('limit') ?? 50)]
    return send(answer, {
      rows: list.slice(at, at + limit),
      next: at + limit < list.length ? String(at + limit) : null,
    })
  }
  if (path.startsWith('/api/incidents/')) {
    const one = incidents.find(i => i.id === path.slice(15))
    if (!one) return send(answer, { detail: 'There is no such incident.' }, 404)
    if (request.method === 'POST') {
      const decision = await bodyOf(request)
      if (decision.revision !== one.revision)
        return send(answer, { detail: 'Somebody else changed it.' }, 409)
      Object.assign(one, {
        status: decision.status ?? one.status,
        note: decision.note ?? one.note,
        revision: one.revision + 1,
      })
      one.history.push({
        at: new Date().toISOString(),
        author: 'operator',
        status: one.status,
        note: one.note,
      })
    }
    return send(answer, one)
  }
  if (path === '/api/rejects') return send(answer, events.length ? REJECTS : { by_reason: [], rows: [] })
  if (path === '/api/sources') return send(answer, { rows: sources() })
  if (path === '/api/health')
    return send(answer, {
      ok: false,
      checks: [
        { name: 'lake', ok: true, detail: 'Writable, 41 GB free' },
        { name: 'sources', ok: scenario === 'empty', detail: '1 of 3 sources cannot be read' },
        { name: 'clock', ok: true, detail: 'Event times are 0.2 s behind the clock' },
      ],
      segments: 14,
      lake_bytes: events.length * 22,
      memory_bytes: 187_000_000,
      uptime_s: 93_784,
    })
  if (path === '/api/stream') {
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    answer.write(': ping\n\n')
    listeners.add(answer)
    request.on('close', () => listeners.delete(answer))
    return
  }
  send(answer, { detail: 'There is no such address.' }, 404)
}

createServer(async (request, answer) => {
  const url = new URL(request.url, 'http://localhost')
  answer.setHeader('content-security-policy', CSP)
  answer.setHeader('x-content-type-options', 'nosniff')
  if (url.pathname.startsWith('/api')) return api(request, answer, url)
  const wanted = join(STATIC, normalize(url.pathname))
  const file =
    wanted.startsWith(STATIC) && existsSync(wanted) && statSync(wanted).isFile()
      ? wanted
      : join(STATIC, 'index.html')
  answer.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
  createReadStream(file).pipe(answer)
}).listen(port, '127.0.0.1', () => console.log(`mock on http://127.0.0.1:${port} (${scenario})`))

// ---- live ----
let id = 0
const publish = (kind, value) => {
  id += 1
  for (const listener of listeners)
    listener.write(`id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(value)}\n\n`)
}
let second = []
if (scenario === 'full' || scenario === 'auth') {
  setInterval(() => {
    const n = Math.max(0, Math.round((rate / 4) * (0.6 + next() * 0.8)))
    const fresh = Array.from({ length: n }, () => event(next, (position += 217), Date.now()))
    if (rate <= 200) events.push(...fresh)
    second.push(...fresh)
    if (n > 0) publish('events', { rows: fresh.slice(-50), total_new: n, sampled: n > 50 })
  }, 250)
}
setInterval(() => {
  const list = second
  second = []
  const all = totals(events.slice(-2000))
  publish('now', {
    t: new Date().toISOString(),
    rate: list.length,
    requests: list.length,
    attacks: list.filter(o => o.attack).length,
    bytes: sum(list, o => o.bytes ?? 0),
    success: list.filter(good).length,
    errors: list.filter(o => o.status >= 500).length,
    totals: { ...all, requests: events.length, read: events.length + 23, rejects: 18, filtered: 5 },
    lag_bytes: 512,
  })
}, 1000)
setInterval(() => publish('health', { sources: sources() }), 5000)
if (incidents.length > 0)
  setInterval(
    () =>
      publish('incident', {
        ...incidents[0],
        events: ++incidents[0].events,
        last_seen: new Date().toISOString(),
      }),
    7000,
  )
