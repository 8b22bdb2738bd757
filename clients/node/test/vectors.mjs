// Judges the wire vectors, one JSON line each: what this client says of them.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { decode } from '../src/strict.mjs'
import { verify } from '../src/verify.mjs'

const HELD = ['E_TRUST_STALE', 'E_KEY_UNKNOWN', 'E_FUTURE']

export async function vectors(folder, say) {
  const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  const keys = new Map(read('keys.json').keys.map(({ kid, ...jwk }) => [kid, jwk]))
  for (const file of readdirSync(folder).filter((name) => /^\d.*\.json$/.test(name)).sort()) {
    const it = read(file)
    const run = it.then ? Buffer.alloc(it.then.times, it.then.byte) : Buffer.alloc(0)
    const held = new Map(it.opening_keys.map((kid) => [kid, keys.get(kid)]))
    const given = {
      ...it, network: read(it.network), at: Date.parse(it.at), highestVersion: it.highest_version, keys: it.recipient ? held : null,
      known: () => it.known_payload_sha256, sent: () => it.sent, originator: () => it.originator,
    }
    try {
      const { duplicate } = await verify(Buffer.concat([decode(it.wire_base64url), run]), given)
      say({ name: it.name, outcome: duplicate ? 'duplicate' : 'accepted', step: duplicate ? 13 : 17, code: null })
    } catch (error) {
      if (!error.code) throw error
      say({ name: it.name, outcome: HELD.includes(error.code) ? 'held' : 'refused', step: error.step, code: error.code })
    }
  }
}
