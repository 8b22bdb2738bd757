// The numbered verification, in its order; the first failure is thrown as Refused with its step and code.
import { flattenedDecrypt, flattenedVerify, importJWK } from 'jose'
import { bindingOf } from './make.mjs'
import { fits } from './schemas.mjs'
import { check, decode, parse, same, sha256 } from './strict.mjs'

const CONTROL = ['receipt', 'heartbeat', 'resend_request']
const CONTROL_TYPE = 'ncp-bridge-control+jws'
const KID = /^[a-z]{2}\.[a-z0-9-]{1,32}#[a-z0-9-]{1,32}$/
const [TOLERANCE, LONGEST] = [120_000, 30 * 86_400_000]
const ownerOf = (kid) => kid.split('#')[0]
export const isControl = ({ kind }) => CONTROL.includes(kind)
export const laneOf = ({ urgency }) => (urgency === 'immediate' ? 'urgent' : 'normal')

/**
 * Steps 1 to 17, as far as there is something to judge by.
 * given: {network, at (ms), country, recipient, keys: Map kid -> private JWK, highestVersion, properties,
 *         known(payload) -> digest, sent(of) -> digests, originator(thread) -> contact point}
 * Answers {payload, payload_sha256, body | control | duplicate}; a refusal from step 9 on carries them as `proven`.
 */
export async function verify(wire, given) {
  check(wire.length <= 1024 * 1024, 1, 'E_SIZE')
  const envelope = parse(wire, 2, 'E_JSON')
  check(fits('envelope', envelope), 3, 'E_ENVELOPE')
  const { signatures, sealed } = envelope
  const saysControl = signatures.some(({ protected: text }) => decode(text).includes(`"${CONTROL_TYPE}"`))
  check(saysControl === (sealed === undefined), 3, 'E_ENVELOPE', 'sealed if and only if it is no control message')
  const headers = signatures.map(readHeader)
  check(headers.every(({ typ }) => typ === headers[0].typ), 4, 'E_HEADER')
  const { network, at } = given
  check(network.version >= (given.highestVersion ?? 0) && at < Date.parse(network.expires), 5, 'E_TRUST_STALE')
  const points = new Map(network.contact_points.map((point) => [point.id, point]))
  const keys = headers.map(({ kid, alg }) => signingKey(points.get(ownerOf(kid)), kid, alg, at))
  const sender = points.get(ownerOf(keys[0].kid))
  await checkSignatures(envelope, keys, sender)
  const payload = readPayload(envelope, network)
  const proven = { payload, payload_sha256: sha256(decode(envelope.payload)) }
  try {
    checkSender(payload, sender, headers[0].typ, given)
    checkRecipient(payload, points, sender, given)
    checkTimes(payload, keys, at)
    if (isControl(payload)) return { ...proven, control: readControl(payload, given) }
    const known = given.known?.(payload)
    check(!known || known === proven.payload_sha256, 13, 'E_EQUIVOCATION')
    if (known) return { ...proven, duplicate: true }
    return given.keys ? { ...proven, body: await open(sealed, payload, given) } : proven
  } catch (error) {
    throw Object.assign(error, { proven })
  }
}

function readHeader({ protected: text }) {
  const header = parse(decode(text), 4, 'E_HEADER')
  const isExact = same(Object.keys(header ?? {}).sort(), ['alg', 'kid', 'typ']) && header.alg === 'ES256' && KID.test(header.kid)
  check(isExact && ['ncp-bridge+jws', CONTROL_TYPE].includes(header.typ), 4, 'E_HEADER')
  return header
}

function signingKey(point, kid, alg, at) {
  const key = point?.keys.find((each) => each.kid === kid && each.alg !== 'ECDH-ES+A256KW')
  check(key, 6, 'E_KEY_UNKNOWN', kid)
  check(key.revoked_at === null, 6, 'E_KEY_REVOKED', kid)
  check(at < Date.parse(key.verify_until), 6, 'E_KEY_EXPIRED', kid)
  check(key.alg === alg, 6, 'E_ALG', kid)
  return key
}

async function checkSignatures({ payload, signatures }, keys, sender) {
  const algorithms = keys.map(({ alg }) => alg)
  const once = new Set(algorithms).size === algorithms.length && keys.every(({ kid }) => ownerOf(kid) === sender.id)
  check(once && sender.signature_policy.every((alg) => algorithms.includes(alg)), 7, 'E_SIG_POLICY')
  for (const [index, { jwk }] of keys.entries()) {
    const verified = flattenedVerify({ payload, ...signatures[index] }, await importJWK(jwk, 'ES256'), { algorithms: ['ES256'] })
    await verified.catch((error) => check(false, 7, 'E_SIGNATURE', error.message))
  }
}

function readPayload({ payload: text, sealed }, network) {
  const payload = parse(decode(text), 8, 'E_PAYLOAD')
  check(typeof payload === 'object' && payload !== null && !Array.isArray(payload), 8, 'E_PAYLOAD')
  check(fits('payload', payload), 8, 'E_SCHEMA')
  const numbered = !payload.seq || same(Object.keys(payload.seq.n).sort(), [...new Set(payload.to)].sort())
  const kinds = [...CONTROL, 'route_alert', 'alert_update', 'alert_cancel', 'acknowledgement', 'directory_notice']
  const isKnown = kinds.includes(payload.kind) && new RegExp(`^urn:ncp-bridge:${payload.kind}:1\\.(0|[1-9]\\d*)$`).test(payload.schema)
  check(numbered && isKnown, 8, 'E_SCHEMA', payload.schema)
  check(payload.trust.network === network.network, 8, 'E_NETWORK')
  check(!payload.seq || !sealed || sha256(sealed) === payload.sealed_sha256, 8, 'E_SEAL_DIGEST')
  return payload
}

function checkSender(payload, sender, typ, { country, properties: hints }) {
  check(payload.from === sender.id, 9, 'E_SENDER')
  if (hints) {
    const agree = hints.correlation_id === payload.id && hints.type === payload.kind && hints.app_id === payload.from
    const key = `${payload.from.slice(0, 2)}.${country}.${laneOf(payload)}.${payload.kind}`
    const routed = !hints.routing_key || (hints.routing_key === key && (!hints.user_id || hints.user_id === sender.accounts.relay))
    check(agree && routed && !('CC' in hints.headers || 'BCC' in hints.headers), 9, 'E_ROUTE_MISMATCH')
  }
  check((typ === CONTROL_TYPE) === isControl(payload), 9, 'E_ROUTE_MISMATCH')
}

function checkRecipient(payload, points, sender, { country, recipient }) {
  const { to, kind, status } = payload
  const ours = to.filter((each) => (recipient ? each === recipient : each.startsWith(`${country}.`)))
  check(same(to, [...new Set(to)].sort()) && ours.length > 0, 10, 'E_NOT_RECIPIENT')
  const codes = ours.map((id) => {
    const point = points.get(id)
    if (!point || point.suspended !== null || sender.suspended !== null) return 'E_NOT_AUTHORISED'
    if (isControl(payload)) return point.mode === 'live' && sender.mode === 'test' ? 'E_STATUS' : null
    const may = sender.sends.includes(kind) && point.receives.includes(kind) && sender.statuses.includes(status)
    if (!may) return 'E_NOT_AUTHORISED'
    return point.mode === 'live' && (status === 'test' || sender.mode === 'test') ? 'E_STATUS' : null
  })
  check(codes.includes(null), 11, codes[0])
}

function checkTimes({ id, sent, expires }, keys, at) {
  const [from, until] = [Date.parse(sent), Date.parse(expires)]
  check(from <= at + TOLERANCE, 12, 'E_FUTURE')
  check(keys.every(({ use_until }) => from < Date.parse(use_until)), 12, 'E_KEY_EXPIRED')
  check(at < until, 12, 'E_EXPIRED')
  check(until > from && until - from <= LONGEST, 12, 'E_LIFETIME')
  check(Math.abs(parseInt(id.slice(0, 8) + id.slice(9, 13), 16) - from) <= TOLERANCE, 12, 'E_ID')
}

function readControl({ kind, schema, control }, given) {
  const sent = kind === 'receipt' ? given.sent?.(control.of ?? {}) : {}
  const agree = kind !== 'receipt' || ['payload_sha256', 'sealed_sha256'].every((name) => sent?.[name] && sent[name] === control.of[name])
  check(fits(kind, control, schema) && agree, 13, 'E_RECEIPT')
  return control
}

async function open(sealed, payload, { recipient, keys, originator }) {
  const jwe = parse(Buffer.from(sealed), 15, 'E_SEAL')
  check(fits('sealed', jwe) && JSON.stringify(parse(decode(jwe.protected), 15, 'E_SEAL')) === '{"enc":"A256GCM"}', 15, 'E_SEAL')
  check(decode(jwe.aad).equals(bindingOf(payload)), 15, 'E_SEAL_BINDING')
  const { recipients, ...shared } = jwe
  check(same(recipients.map(({ header }) => ownerOf(header.kid)).sort(), payload.to), 15, 'E_RECIPIENTS')
  const ours = recipients.find(({ header }) => ownerOf(header.kid) === recipient) // by kid; never tried in turn
  check(keys.has(ours.header.kid), 15, 'E_NO_KEY', ours.header.kid)
  const key = await importJWK(keys.get(ours.header.kid), 'ECDH-ES+A256KW')
  const only = { keyManagementAlgorithms: ['ECDH-ES+A256KW'], contentEncryptionAlgorithms: ['A256GCM'] }
  const opened = flattenedDecrypt({ ...shared, ...ours }, key, only)
  const { plaintext } = await opened.catch((error) => check(false, 15, 'E_DECRYPT', error.message))
  check(sha256(plaintext) === payload.body_sha256, 16, 'E_COMMITMENT')
  const body = parse(plaintext, 17, 'E_BODY')
  check(typeof body === 'object' && body !== null && !Array.isArray(body), 17, 'E_BODY')
  check(fits(payload.kind, body, payload.schema), 17, 'E_BODY_SCHEMA')
  const began = originator?.(body.thread) ?? payload.from
  check(!body.supersedes || (body.supersedes.from === payload.from && began === payload.from), 17, 'E_NOT_ORIGINATOR')
  return body
}
