// Strict JSON, where JSON.parse is lenient, and refusals with the step and code of the table of verification.
import { createHash } from 'node:crypto'

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const MAX_DEPTH = 24

export class Refused extends Error {
  constructor(step, code, detail = code) {
    super(detail)
    Object.assign(this, { step, code })
  }
}

/** Refuses unless it holds. */
export const check = (holds, step, code, detail) => {
  if (!holds) throw new Refused(step, code, detail)
}

/** The JSON value in `bytes`, or a refusal: no member twice, no float, no lone surrogate, bounded depth. */
export function parse(bytes, step, code) {
  try {
    const text = UTF8.decode(bytes)
    const value = JSON.parse(text)
    const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""')
    if (/\d[.eE]/.test(bare) || bare.split(':').length - 1 !== members(value, 1)) throw new SyntaxError('a float, or a member twice')
    return value
  } catch (error) {
    throw new Refused(step, code, error.message)
  }
}

/** How many members there are in all of a value; what a text has more is there twice. */
function members(value, depth) {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new SyntaxError('not an integer')
  if (typeof value === 'string' && !value.isWellFormed()) throw new SyntaxError('a lone surrogate')
  if (typeof value !== 'object' || value === null) return 0
  if (depth > MAX_DEPTH) throw new SyntaxError('nested too deeply')
  const own = Array.isArray(value) ? 0 : Object.keys(value).map((name) => members(name, depth)).length
  return Object.values(value).reduce((sum, each) => sum + members(each, depth + 1), own)
}

export const decode = (text) => Buffer.from(text, 'base64url')
export const same = (left, right) => left.length === right.length && left.every((each, index) => each === right[index])
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('base64url')
