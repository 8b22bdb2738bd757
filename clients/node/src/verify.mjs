// The numbered verification, from top to bottom as the format's table has it; the first failure is thrown.
import { flattenedDecrypt, flattenedVerify, importJWK } from 'jose'
import { ALG, bindingOf } from './make.mjs'
import { fits } from './schemas.mjs'
import { check, decode, parse, same, sha256 } from './strict.mjs'

const CONTROLS = ['receipt', 'heartbeat', 'resend_request']
const KINDS = [...CONTROLS, 'route_alert', 'alert_update', 'alert_cancel', 'acknowledgement', 'directory_notice']
const TYPES = ['ncp-bridge+jws', 'ncp-bridge-control+jws']
const KID = /^[a-z]{2}\.[a-z0-9-]{1,32}#[a-z0-9-]{1,32}$/
const ONLY = { keyManagementAlgorithms: [ALG], contentEncryptionAlgorithms: ['A256GCM'] }
const [TOLERANCE, LONGEST] = [120_000, 30 * 86_400_000] // milliseconds
const ownerOf = (kid) => kid.split('#')[0]
const sorted = (texts) => [...new Set(texts)].sort()
export const countryOf = (id) => id.slice(0, 2)
export const isControl = ({ kind }) => CONTROLS.includes(kind)
export const laneOf = ({ urgency }) => (urgency === 'immediate' ? 'urgent' : 'normal')

/**
 * Steps 1 to 17, as far as there is something to judge by.
 * given: {network, at (ms), country, recipient, keys: Map kid -> private JWK, highestVersion, properties,
 *         known(payload) -> digest, sent(of, from) -> digests, originator(thread) -> contact point}
 * Answers {payload, payload_sha256, body | control | duplicate}. A refusal has `step` and `code`, and from step 9 on,
 * when it is known who speaks, `proven`: {payload, payload_sha256, signer}.
 */
export async function verify(wire, given) {
  const proven = {}
  return steps(wire, given, proven).catch((error) => Promise.reject(Object.assign(error, proven.payload && { proven })))
}

async function steps(wire, { network, at, country, recipient, keys, highestVersion = 0, properties: hints, ...given }, proven) {
  check(wire.length <= 1024 * 1024, 1, 'E_SIZE')
  const envelope = parse(wire, 2, 'E_JSON')

  check(fits('envelope', envelope), 3, 'E_ENVELOPE')
  const { payload: text, signatures, sealed } = envelope
  const saysControl = signatures.some((each) => decode(each.protected).includes(`"${TYPES[1]}"`))
  check(saysControl === (sealed === undefined), 3, 'E_ENVELOPE', 'sealed if and only if it is no control message')

  const headers = signatures.map((each) => parse(decode(each.protected), 4, 'E_HEADER'))
  for (const header of headers) {
    const isForm = same(sorted(Object.keys(header)), ['alg', 'kid', 'typ']) && header.alg === 'ES256' && KID.test(header.kid)
    check(isForm && TYPES.includes(header.typ) && header.typ === headers[0].typ, 4, 'E_HEADER')
  }

  check(network.version >= highestVersion && at < Date.parse(network.expires), 5, 'E_TRUST_STALE')
  const points = new Map(network.contact_points.map((point) => [point.id, point]))

  const signing = headers.map(({ kid }) => points.get(ownerOf(kid))?.keys.find((key) => key.kid === kid && key.alg !== ALG))
  for (const [index, key] of signing.entries()) {
    check(key, 6, 'E_KEY_UNKNOWN', headers[index].kid)
    check(key.revoked_at === null, 6, 'E_KEY_REVOKED')
    check(at < Date.parse(key.verify_until), 6, 'E_KEY_EXPIRED')
    check(key.alg === headers[index].alg, 6, 'E_ALG')
  }

  const sender = points.get(ownerOf(signing[0].kid))
  const algorithms = sorted(signing.map(({ alg }) => alg))
  check(signing.every(({ kid }) => ownerOf(kid) === sender.id) && algorithms.length === signing.length, 7, 'E_SIG_POLICY')
  check(sender.signature_policy.every((alg) => algorithms.includes(alg)), 7, 'E_SIG_POLICY')
  for (const [index, { jwk, alg }] of signing.entries()) {
    const verified = flattenedVerify({ payload: text, ...signatures[index] }, await importJWK(jwk, alg), { algorithms: [alg] })
    await verified.catch(({ message }) => check(false, 7, 'E_SIGNATURE', message))
  }

  const payload = parse(decode(text), 8, 'E_PAYLOAD') // only now is it looked at
  const { id, kind, schema, status, from, to, sent, expires, seq } = payload
  check(fits('payload', payload) && KINDS.includes(kind), 8, 'E_SCHEMA')
  check(new RegExp(`^urn:ncp-bridge:${kind}:1\\.(0|[1-9]\\d*)$`).test(schema), 8, 'E_SCHEMA', schema)
  check(!seq || same(sorted(Object.keys(seq.n)), sorted(to)), 8, 'E_SCHEMA', 'seq.n has not the recipients')
  check(payload.trust.network === network.network, 8, 'E_NETWORK')
  check(!seq || !sealed || sha256(sealed) === payload.sealed_sha256, 8, 'E_SEAL_DIGEST')
  Object.assign(proven, { payload, payload_sha256: sha256(decode(text)), signer: sender.id })

  check(from === sender.id, 9, 'E_SENDER')
  if (hints) {
    check(same([hints.correlation_id, hints.type, hints.app_id], [id, kind, from]), 9, 'E_ROUTE_MISMATCH')
    const isRouted = hints.routing_key === `${countryOf(from)}.${country}.${laneOf(payload)}.${kind}`
    const isRelay = !hints.user_id || hints.user_id === sender.accounts.relay
    check(!hints.routing_key || (isRouted && isRelay), 9, 'E_ROUTE_MISMATCH')
    check(!['CC', 'BCC'].some((name) => name in (hints.headers ?? {})), 9, 'E_ROUTE_MISMATCH')
  }
  check((headers[0].typ === TYPES[1]) === isControl(payload), 9, 'E_ROUTE_MISMATCH')

  const ours = to.filter((each) => (recipient ? each === recipient : countryOf(each) === country))
  check(same(to, sorted(to)) && ours.length > 0, 10, 'E_NOT_RECIPIENT')

  const codes = ours.map((each) => points.get(each)).map((point) => {
    const may = sender.sends.includes(kind) && point?.receives.includes(kind) && sender.statuses.includes(status)
    if (point?.suspended !== null || sender.suspended !== null || !(may || isControl(payload))) return 'E_NOT_AUTHORISED'
    const isTest = sender.mode === 'test' || (status === 'test' && !isControl(payload))
    return point.mode === 'live' && isTest ? 'E_STATUS' : null
  })
  check(codes.includes(null), 11, codes[0]) // a router: one of its country's is enough

  const [began, until, born] = [Date.parse(sent), Date.parse(expires), parseInt(id.slice(0, 8) + id.slice(9, 13), 16)]
  check(began <= at + TOLERANCE, 12, 'E_FUTURE')
  check(signing.every((key) => began < Date.parse(key.use_until)), 12, 'E_KEY_EXPIRED')
  check(at < until, 12, 'E_EXPIRED')
  check(until > began && until - began <= LONGEST, 12, 'E_LIFETIME')
  check(Math.abs(born - began) <= TOLERANCE, 12, 'E_ID')

  if (isControl(payload)) {
    const { control } = payload
    check(fits(kind, control, schema), 13, 'E_RECEIPT')
    const about = kind === 'receipt' ? given.sent(control.of, from) : null
    const isOurs = about && ['payload_sha256', 'sealed_sha256'].every((name) => about[name] === control.of[name])
    check(kind !== 'receipt' || isOurs, 13, 'E_RECEIPT')
    return { ...proven, control }
  }
  const known = given.known(payload)
  check(!known || known === proven.payload_sha256, 13, 'E_EQUIVOCATION')
  if (known || !keys) return { ...proven, duplicate: Boolean(known) } // without keys: a router, which opens nothing

  const jwe = parse(Buffer.from(sealed), 15, 'E_SEAL')
  check(fits('sealed', jwe) && same(parse(decode(jwe.protected), 15, 'E_SEAL'), { enc: 'A256GCM' }), 15, 'E_SEAL')
  check(decode(jwe.aad).equals(bindingOf(payload)), 15, 'E_SEAL_BINDING')
  const { recipients, ...shared } = jwe
  check(same(recipients.map(({ header }) => ownerOf(header.kid)).sort(), to), 15, 'E_RECIPIENTS')
  const own = recipients.find(({ header }) => ownerOf(header.kid) === recipient) // by kid; never tried in turn
  check(keys.has(own.header.kid), 15, 'E_NO_KEY', own.header.kid)
  const opened = flattenedDecrypt({ ...shared, ...own }, await importJWK(keys.get(own.header.kid), ALG), ONLY)
  const { plaintext } = await opened.catch(({ message }) => check(false, 15, 'E_DECRYPT', message))

  check(sha256(plaintext) === payload.body_sha256, 16, 'E_COMMITMENT')

  const body = parse(plaintext, 17, 'E_BODY')
  check(fits(kind, body, schema), 17, 'E_BODY_SCHEMA')
  const isOriginator = body.supersedes?.from === from && (given.originator(body.thread) ?? from) === from
  check(!body.supersedes || isOriginator, 17, 'E_NOT_ORIGINATOR')
  return { ...proven, body }
}
