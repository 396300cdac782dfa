// Makes src/api/schema.gen.ts from openapi.json; with --check it only says whether it is fresh.
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const OUT = 'src/api/schema.gen.ts'
const HEAD = '// Generated from openapi.json by `npm run openapi`. Do not edit.\n'
const made =
  HEAD +
  astToString(await openapiTS(new URL('../openapi.json', import.meta.url), { defaultNonNullable: false }))
if (process.argv.includes('--check')) {
  if (readFileSync(OUT, 'utf8') !== made) {
    console.error(`${OUT} is not what openapi.json gives: run npm run openapi`)
    process.exit(1)
  }
} else writeFileSync(OUT, made)
