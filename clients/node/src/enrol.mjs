// Keys of one's own, and the request to be admitted (docs/integrate/join.md).
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALG } from './make.mjs'
import { sha256 } from './strict.mjs'

const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString()
const rawKey = ({ publicKey }, length) => publicKey.export({ type: 'spki', format: 'der' }).subarray(-length)

/** Makes member, signing and opening keys in `folder`, 0600 and never over others; writes request.json beside them. */
export function enrol(folder, { network, id, title }) {
  const [member, owner] = [id.slice(0, 2), generateKeyPairSync('ed25519')]
  const own = [['sig-1', 'ES256'], ['enc-1', ALG]].map(([name, alg]) => (
    { kid: `${id}#${name}`, alg, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }))
  const times = { use_until: inDays(365), verify_until: inDays(400), revoked_at: null }
  const keys = own.map(({ kid, alg, ...pair }) => ({ kid, alg, point: rawKey(pair, 65).toString('base64url'), ...times }))
  const [path, document] = [`keys/${member}.json`, JSON.stringify({ v: 2, member, contact_points: { [id]: keys } })]
  // Names stand in the order of the alphabet and there are no blanks: JSON in its canonical form, which is signed.
  const member_key = { keytype: 'ed25519', keyval: { public: rawKey(owner, 32).toString('hex') }, scheme: 'ed25519' }
  const [keyid, digest] = [sha256(JSON.stringify(member_key), 'hex'), sha256(document, 'hex')]
  const targets = { [path]: { hashes: { sha256: digest }, length: Buffer.byteLength(document) } }
  const signed = { _type: 'targets', expires: inDays(700).replace(/\.\d+/, ''), spec_version: '1.0.31', targets, version: 1 }
  const sig = sign(null, Buffer.from(JSON.stringify(signed)), owner.privateKey).toString('hex')
  const metadata = { [`member-${member}`]: JSON.stringify({ signed, signatures: [{ keyid, sig }] }) }
  const publication = JSON.stringify({ v: 1, network, metadata, documents: { [path]: document } })
  const proven = Buffer.from(['ncp-bridge-join-1', network, own[0].kid, keyid, digest].join('\n'))
  const proof = sign('sha256', proven, { key: own[0].privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  const ask = { v: 1, network, member, contact_points: { [id]: title }, member_key, publication, proofs: { [own[0].kid]: proof } }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const write = (name, text) => writeFileSync(join(folder, name), text, { flag: 'wx', mode: 0o600, flush: true })
  write('member.pem', owner.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  write('keys.json', JSON.stringify({ keys: own.map(({ kid, privateKey: key }) => ({ kid, ...key.export({ format: 'jwk' }) })) }))
  write('request.json', JSON.stringify(ask, null, 1))
  return { request: join(folder, 'request.json'), keyid }
}
