// Making a message: commit, encrypt, sign. Its bytes are final, nobody encodes them again.
import { randomBytes } from 'node:crypto'
import { FlattenedSign, GeneralEncrypt, generateKeyPair, importJWK } from 'jose'
import { sha256 } from './strict.mjs'

const ALG = 'ECDH-ES+A256KW'
const bytesOf = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

/** A UUIDv7 of now. */
export function newId(now = Date.now()) {
  const hex = now.toString(16).padStart(12, '0') + randomBytes(10).toString('hex')
  const variant = ((parseInt(hex[16], 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** What ties a sealed body to its message. */
export const bindingOf = ({ id, from, to }) => bytesOf(`ncp-bridge-seal-1\n${id}\n${from}\n${to.join(',')}`)

/** A sealed message. `recipients` are public keys of the list, `signing` is a private JWK with its kid. */
export async function makeSealed(payload, body, { recipients, signing }) {
  const plaintext = bytesOf({ salt: randomBytes(32).toString('base64url'), ...body })
  const jwe = new GeneralEncrypt(plaintext).setProtectedHeader({ enc: 'A256GCM' }).setAdditionalAuthenticatedData(bindingOf(payload))
  for (const { kid, jwk } of recipients) jwe.addRecipient(await importJWK(jwk, ALG)).setUnprotectedHeader({ alg: ALG, kid })
  // For one recipient jose writes another form: a second one, whose private key is never kept, is left out again.
  if (recipients.length === 1) jwe.addRecipient((await generateKeyPair(ALG)).publicKey).setUnprotectedHeader({ alg: ALG })
  const { recipients: entries, ...rest } = await jwe.encrypt()
  const sealed = JSON.stringify({ ...rest, recipients: entries.slice(0, recipients.length) })
  const digests = { sealed_sha256: sha256(sealed), body_sha256: sha256(plaintext) }
  return { ...(await sign({ ...payload, ...digests }, signing, 'ncp-bridge+jws', { sealed })), ...digests }
}

/** A control message: signed, to one contact point, nothing sealed. */
export const makeControl = (payload, control, signing) => sign({ ...payload, control }, signing, 'ncp-bridge-control+jws', {})

async function sign(members, { kid, ...jwk }, typ, more) {
  const payload = bytesOf(members)
  const jws = await new FlattenedSign(payload).setProtectedHeader({ alg: 'ES256', kid, typ }).sign(await importJWK(jwk, 'ES256'))
  const signatures = [{ protected: jws.protected, signature: jws.signature }]
  return { wire: bytesOf({ payload: jws.payload, signatures, ...more }), payload_sha256: sha256(payload) }
}
