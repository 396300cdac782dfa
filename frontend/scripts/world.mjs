// Makes src/assets/world.json from the public-domain Natural Earth borders of the package world-atlas:
// simplified, rounded, and named by ISO 3166-1 alpha-2. Run by `npm run world`; its result is committed.
import { readFileSync, writeFileSync } from 'node:fs'
import { feature } from 'topojson-client'
import { presimplify, simplify } from 'topojson-simplify'

const DETAIL = 0.1 // square degrees; smaller triangles are dropped
const SMALL = 0.35 // square degrees; a land smaller than this needs a dot to be seen at all
const atlas = JSON.parse(readFileSync('node_modules/world-atlas/countries-50m.json', 'utf8'))
const BOTH = new Set(['AU']) // its reefs share its number
const UNNUMBERED = { Kosovo: 'XK' } // has no ISO number; XK is the code that network data uses

/** ISO alpha-2 of an ISO number, e.g. 840 → US; null: none. */
function alpha2(number) {
  if (number === undefined) return null
  const region = new Intl.Locale(`und-${String(number).padStart(3, '0')}`).region
  return region && /^[A-Z]{2}$/.test(region) ? region : null
}

const area = ring =>
  Math.abs(
    ring.reduce((sum, [x, y], i) => {
      const [nx, ny] = ring[(i + 1) % ring.length]
      return sum + x * ny - nx * y
    }, 0),
  ) / 2

const middle = ring => {
  const xs = ring.map(p => p[0])
  const ys = ring.map(p => p[1])
  return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2]
}
const round = n => Math.round(n * 100) / 100

const full = feature(atlas, atlas.objects.countries)
const simplified = simplify(presimplify(structuredClone(atlas)), DETAIL)
const simple = feature(simplified, simplified.objects.countries)
const slim = new Map(simple.features.map((f, i) => [i, f]))

// The borders are stitched over the antimeridian, for globes. On a flat map Russia and Fiji go on past
// 180 degrees east, and the last Aleutian islands, which would widen the map for nothing, are left out.
const EAST = new Set(['RU', 'FJ'])
const unwrap = (code, ring) => (EAST.has(code) ? ring.map(([x, y]) => [x < 0 ? x + 360 : x, y]) : ring)
const wanted = (code, ring) => code !== 'US' || Math.max(...ring.map(p => p[0])) < 0

const features = []
const places = {}
full.features.forEach((whole, i) => {
  const code = alpha2(whole.id) ?? UNNUMBERED[whole.properties.name] ?? null
  if (code === 'AQ') return
  const polygons =
    whole.geometry.type === 'Polygon' ? [whole.geometry.coordinates] : whole.geometry.coordinates
  const largest = polygons.map(p => p[0]).sort((a, b) => area(b) - area(a))[0]
  if (code && area(largest) < SMALL) places[code] = middle(largest).map(round)
  const kept = slim.get(i).geometry
  const parts = (kept.type === 'Polygon' ? [kept.coordinates] : kept.coordinates)
    .filter(polygon => wanted(code, polygon[0]))
    .map(polygon =>
      polygon
        .map(ring => unwrap(code, ring).map(p => p.map(round)))
        .filter(ring => ring.length > 3 && area(ring) > 0.02),
    )
    .filter(polygon => polygon.length > 0)
  if (parts.length > 0)
    features.push({
      type: 'Feature',
      properties: { name: code ?? `-${i}` },
      geometry: { type: 'MultiPolygon', coordinates: parts },
    })
})
const large = new Set(
  features.map(f => f.properties.name).filter(code => !(code in places) || BOTH.has(code)),
)
for (const code of large) delete places[code]
writeFileSync(
  'src/assets/world.json',
  `${JSON.stringify({ map: { type: 'FeatureCollection', features }, places })}\n`,
)
console.log(features.length, 'lands,', Object.keys(places).length, 'small ones')
