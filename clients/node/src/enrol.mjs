// Keys of one's own, and the request to be admitted (docs/integrate/join.md).
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const DAY = 86_400_000
const hex = (bytes) => createHash('sha256').update(bytes).digest('hex')
const sorted = (value) => (value && typeof value === 'object' ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])])) : value)
const canonical = (value) => JSON.stringify(sorted(value))

/** Makes member, signing and opening keys in `folder`, 0600 and never over others; writes request.json beside them. */
export function enrol(folder, { network, id, title }) {
  const member = id.slice(0, 2)
  const [owner, signing, opening] = [generateKeyPairSync('ed25519'), ...[1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))]
  const times = { use_until: new Date(Date.now() + 365 * DAY).toISOString(), verify_until: new Date(Date.now() + 400 * DAY).toISOString() }
  const listed = (kid, alg, { publicKey }) => {
    const { x, y } = publicKey.export({ format: 'jwk' })
    const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]).toString('base64url')
    return { kid, alg, point, ...times, revoked_at: null }
  }
  const keys = [listed(`${id}#sig-1`, 'ES256', signing), listed(`${id}#enc-1`, 'ECDH-ES+A256KW', opening)]
  const raw = Buffer.from(owner.publicKey.export({ format: 'jwk' }).x, 'base64url').toString('hex')
  const member_key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: raw } }
  const keyid = hex(canonical(member_key))
  const document = JSON.stringify({ v: 2, member, contact_points: { [id]: keys } })
  const target = { [`keys/${member}.json`]: { length: Buffer.byteLength(document), hashes: { sha256: hex(document) } } }
  const expires = new Date(Date.now() + 700 * DAY).toISOString().replace(/\.\d+/, '')
  const signed = { _type: 'targets', version: 1, spec_version: '1.0.31', expires, targets: target }
  const sig = sign(null, Buffer.from(canonical(signed)), owner.privateKey).toString('hex')
  const metadata = { [`member-${member}`]: JSON.stringify({ signed, signatures: [{ keyid, sig }] }) }
  const proof = Buffer.from(['ncp-bridge-join-1', network, keys[0].kid, keyid, hex(document)].join('\n'))
  const proofs = { [keys[0].kid]: sign('sha256', proof, { key: signing.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url') }
  const publication = JSON.stringify({ v: 1, network, metadata, documents: { [`keys/${member}.json`]: document } })
  const request = { v: 1, network, member, contact_points: { [id]: title }, member_key, publication, proofs }
  const jwks = [signing, opening].map(({ privateKey }, index) => ({ kid: keys[index].kid, ...privateKey.export({ format: 'jwk' }) }))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const write = (name, text) => writeFileSync(join(folder, name), text, { flag: 'wx', mode: 0o600 })
  write('member.pem', owner.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  write('keys.json', JSON.stringify({ keys: jwks }))
  write('request.json', JSON.stringify(request, null, 1))
  return { request: join(folder, 'request.json'), keyid }
}
