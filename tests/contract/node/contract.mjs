// Reads the contract as integrators' tools do: the AsyncAPI document with its own parser, every schema with ajv in strict mode.
// usage: node contract.mjs SCHEMAS < samples as JSON lines {"schema", "value"}; prints one JSON line for each thing it looked at.
import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Parser, fromFile } from '@asyncapi/parser'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

const folder = process.argv[2]
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')
const ajv = new Ajv2020({ strict: true, allErrors: true })
addFormats(ajv)

const compiled = new Map()
for (const name of readdirSync(folder).sort()) {
  if (!existsSync(join(folder, name, '1.0.json'))) continue
  for (const file of readdirSync(join(folder, name)).filter((each) => each.endsWith('.json')).sort()) {
    try {
      compiled.set(`${name}/${file}`, ajv.compile(JSON.parse(readFileSync(join(folder, name, file), 'utf8'))))
      say({ schema: `${name}/${file}`, ok: true })
    } catch (error) {
      say({ schema: `${name}/${file}`, ok: false, detail: error.message })
    }
  }
}

const parser = new Parser()
parser.registerSchemaParser({
  getMimeTypes: () => ['application/schema+json;version=2020-12'],
  validate: ({ data }) => {
    try {
      new Ajv2020({ strict: true, formats: { 'date-time': true } }).compile(data)
      return []
    } catch (error) {
      return [{ message: error.message }]
    }
  },
  parse: ({ data }) => data,
})
const { document, diagnostics } = await fromFile(parser, join(folder, 'asyncapi.yaml')).parse()
for (const each of diagnostics) say({ diagnostic: each.code, severity: each.severity, detail: each.message, path: each.path.join('.') })
say({
  asyncapi: document?.version(),
  channels: document?.channels().all().map((each) => each.address()) ?? [],
  operations: document?.operations().all().map((each) => each.id()) ?? [],
})

for await (const line of createInterface({ input: process.stdin })) {
  const { schema, value } = JSON.parse(line)
  say({ sample: schema, valid: compiled.get(schema)(value) })
}
