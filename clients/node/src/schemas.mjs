// The contract's schemas. A newer minor version is read by a copy that lets unknown members and codes pass.
import { readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

const FOLDER = new URL('../../../schemas/', import.meta.url)
const compiled = new Map()

function relax(_, value) {
  if (value?.enum) return { type: 'string' }
  if (value?.additionalProperties === false) delete value.additionalProperties
  return value
}

/** Whether a document has the form of its schema; `urn` names the version, 1.0 where none is given. */
export function fits(name, value, urn = '.0') {
  const [key, read] = [`${name} ${urn.endsWith('.0')}`, urn.endsWith('.0') ? undefined : relax]
  if (!compiled.has(key)) {
    const schema = JSON.parse(readFileSync(new URL(`${name}/1.0.json`, FOLDER), 'utf8'), read)
    compiled.set(key, addFormats(new Ajv2020({ strict: true })).compile(schema))
  }
  return compiled.get(key)(value)
}
