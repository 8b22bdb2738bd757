// Making a message: commit, encrypt, sign. Its bytes are final; nobody encodes them again.
import { randomBytes } from 'node:crypto'
import { FlattenedSign, GeneralEncrypt, generateKeyPair, importJWK } from 'jose'
import { sha256 } from './strict.mjs'

export const ALG = 'ECDH-ES+A256KW'
const toBytes = (value) => Buffer.from(JSON.stringify(value))

/** A UUIDv7 of now. */
export function newId(now = Date.now()) {
  const [time, random] = [now.toString(16).padStart(12, '0'), randomBytes(9).toString('hex')]
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6)}`
}

/** What ties a sealed body to its message: the JWE's additional authenticated data. */
export const bindingOf = ({ id, from, to }) => Buffer.from(`ncp-bridge-seal-1\n${id}\n${from}\n${to.join(',')}`)

/** A sealed message. `recipients` are keys of the list, `signing` is a private JWK with its kid. */
export async function makeSealed(header, body, recipients, signing) {
  const plaintext = toBytes({ salt: randomBytes(32).toString('base64url'), ...body })
  const jwe = new GeneralEncrypt(plaintext).setProtectedHeader({ enc: 'A256GCM' })
  jwe.setAdditionalAuthenticatedData(bindingOf(header))
  for (const { kid, jwk } of recipients) jwe.addRecipient(await importJWK(jwk, ALG)).setUnprotectedHeader({ alg: ALG, kid })
  // For one recipient jose writes another form: a second, whose private key nobody keeps, is left out again.
  if (recipients.length === 1) jwe.addRecipient((await generateKeyPair(ALG)).publicKey).setUnprotectedHeader({ alg: ALG })
  const whole = await jwe.encrypt()
  const sealed = JSON.stringify({ ...whole, recipients: whole.recipients.slice(0, recipients.length) })
  return sign({ ...header, sealed_sha256: sha256(sealed), body_sha256: sha256(plaintext) }, signing, 'ncp-bridge+jws', { sealed })
}

/** A control message: signed, to one contact point, nothing sealed. */
export const makeControl = (header, control, signing) => sign({ ...header, control }, signing, 'ncp-bridge-control+jws')

async function sign(payload, { kid, ...jwk }, typ, more) {
  const signing = new FlattenedSign(toBytes(payload)).setProtectedHeader({ alg: 'ES256', kid, typ })
  const { payload: text, ...signature } = await signing.sign(await importJWK(jwk, 'ES256'))
  const wire = toBytes({ payload: text, signatures: [signature], ...more }).toString('base64')
  return { payload, payload_sha256: sha256(toBytes(payload)), wire }
}
