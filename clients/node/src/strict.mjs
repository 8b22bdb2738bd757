// Strict JSON, where JSON.parse is lenient, and refusals with step and code of the table of verification.
import { createHash } from 'node:crypto'

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const MAX_DEPTH = 24
export const decode = (text) => Buffer.from(text, 'base64url')
export const sha256 = (bytes, form = 'base64url') => createHash('sha256').update(bytes).digest(form)
export const same = (left, right) => JSON.stringify(left) === JSON.stringify(right)

/** Throws an error with `step` and `code` unless it holds. */
export function check(holds, step, code, detail = code) {
  if (!holds) throw Object.assign(new Error(detail), { step, code })
}

/** The JSON object in `bytes`, or a refusal: no member twice, no float, no lone surrogate, bounded depth. */
export function parse(bytes, step, code) {
  try {
    const text = UTF8.decode(bytes)
    const value = JSON.parse(text)
    const bare = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '""') // each colon that is left stands behind a member's name
    const isStrict = !/\d[.eE]/.test(bare) && bare.split(':').length - 1 === members(value, 1)
    if (isStrict && bare.trim().startsWith('{')) return value
  } catch {} // no JSON at all
  return check(false, step, code)
}

/** How many members the objects in `value` have together; NaN where something in it may not be. */
function members(value, depth) {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 0 : NaN
  if (typeof value === 'string') return value.isWellFormed() ? 0 : NaN
  if (typeof value !== 'object' || value === null) return 0
  const names = Array.isArray(value) ? [] : Object.keys(value)
  const parts = depth > MAX_DEPTH ? [NaN] : [...names, ...Object.values(value)].map((each) => members(each, depth + 1))
  return parts.reduce((sum, each) => sum + each, names.length)
}
