// The contract's schemas. A body of a newer minor version is read by a copy that lets unknown members and codes pass.
import { readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

const FOLDER = new URL('../../../schemas/', import.meta.url)
const compiled = new Map()

const relaxed = (value) => {
  if (Array.isArray(value)) return value.map(relaxed)
  if (typeof value !== 'object' || value === null) return value
  const { additionalProperties, enum: codes, ...rest } = value
  const open = { ...(additionalProperties && { additionalProperties }), ...(codes && { type: 'string' }) }
  return Object.fromEntries(Object.entries({ ...rest, ...open }).map(([name, each]) => [name, relaxed(each)]))
}

/** Whether a document has the form of its schema; `urn` names the version, 1.0 where none is given. */
export function fits(name, value, urn = '.0') {
  const isNewer = Number(urn.split('.').at(-1)) > 0
  if (!compiled.has(name + isNewer)) {
    const ajv = addFormats(new Ajv2020({ strict: true }))
    const schema = JSON.parse(readFileSync(new URL(`${name}/1.0.json`, FOLDER), 'utf8'))
    compiled.set(name + isNewer, ajv.compile(isNewer ? relaxed(schema) : schema))
  }
  return compiled.get(name + isNewer)(value)
}
