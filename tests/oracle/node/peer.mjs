// A contact point that speaks the wire format with Node's jose, written from wire-format.md and nothing else.
//
// Reads one JSON request a line on stdin, answers one JSON line each on stdout:
//   {"command": "make", "payload", "body", "signing": {kid, jwk}, "recipients": [{kid, jwk}]}  -> {"raw"}
//   {"command": "make-control", "payload", "control", "signing": {kid, jwk}}                   -> {"raw"}
//   {"command": "read", "raw", "signing": [{kid, jwk}], "opening": {kid, jwk} or null}         -> {"payload", "body"}
// `raw` is base64 of the envelope's bytes. A refused message answers {"code", "detail"}.
// Without `opening`, `read` verifies and `body` is null. Knows no time, trust, authority, replay or sequence.

import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { GeneralEncrypt, GeneralSign, flattenedDecrypt, flattenedVerify, generateKeyPair, importJWK } from "jose";
import * as rules from "./rules.mjs";
import { decode, isBytes, parse, sameList, sha256 } from "./strict.mjs";

const { Refused, attempt, require, ownerOf } = rules;
const bytesOf = (text) => new TextEncoder().encode(text);
// Indented, so that a reader who digests a re-serialised payload or body instead of the bytes is found out.
const toJson = (value) => bytesOf(JSON.stringify(value, null, 1));

async function make({ payload, body, signing, recipients }) {
  const plaintext = toJson({ salt: randomBytes(32).toString("base64url"), ...body });
  const sealed = JSON.stringify(await seal(plaintext, bindingOf(payload), recipients));
  const digests = { sealed_sha256: sha256(bytesOf(sealed)), body_sha256: sha256(plaintext) };
  const jws = await sign({ ...payload, ...digests }, rules.MESSAGE_TYPE, signing);
  return { raw: toRaw({ ...jws, sealed }) };
}

async function makeControl({ payload, control, signing }) {
  return { raw: toRaw(await sign({ ...payload, control }, rules.CONTROL_TYPE, signing)) };
}

async function sign(payload, typ, { kid, jwk }) {
  const jws = new GeneralSign(toJson(payload));
  jws.addSignature(await importJWK(jwk, "ES256")).setProtectedHeader({ typ, kid, alg: "ES256" });
  return jws.sign();
}

async function seal(plaintext, aad, recipients) {
  const jwe = new GeneralEncrypt(plaintext).setProtectedHeader({ enc: rules.ENC }).setAdditionalAuthenticatedData(aad);
  for (const { kid, jwk } of recipients) {
    jwe.addRecipient(await importJWK(jwk, rules.ALG)).setUnprotectedHeader({ alg: rules.ALG, kid });
  }
  // For one recipient jose puts `epk` into the protected header. A second one, for a key whose private half is
  // never kept, keeps it where the specification wants it; its entry is left out of what travels.
  if (recipients.length === 1) {
    const { publicKey } = await generateKeyPair(rules.ALG, { crv: "P-256" });
    jwe.addRecipient(publicKey).setUnprotectedHeader({ alg: rules.ALG });
  }
  const sealed = await jwe.encrypt();
  return { ...sealed, recipients: sealed.recipients.slice(0, recipients.length) };
}

function bindingOf({ id, from, to }) {
  return bytesOf(`ncp-bridge-seal-1\n${id}\n${from}\n${to.join(",")}`);
}

function toRaw(envelope) {
  return Buffer.from(JSON.stringify(envelope)).toString("base64");
}

async function read({ raw, signing, opening }) {
  const envelope = rules.openEnvelope(Buffer.from(raw, "base64"));
  const { owner, typ } = await verifySignatures(envelope, new Map(signing.map(({ kid, jwk }) => [kid, jwk])));
  const payload = attempt("E_PAYLOAD", () => parse(decode(envelope.payload)));
  rules.checkPayload(payload);
  const control = rules.CONTROL_KINDS.includes(payload.kind);
  if (!control && "sealed" in envelope) {
    require(sha256(bytesOf(envelope.sealed)) === payload.sealed_sha256, "E_SEAL_DIGEST", "sealed is not what was signed");
  }
  require(payload.from === owner, "E_SENDER", `${payload.from} signed by ${owner}`);
  require(control === (typ === rules.CONTROL_TYPE), "E_ROUTE_MISMATCH", `${payload.kind} under ${typ}`);
  require(sameList(payload.to, [...new Set(payload.to)].sort()), "E_NOT_RECIPIENT", "to is not sorted and unique");
  return { payload, body: opening === null ? null : await readBody(envelope.sealed, payload, opening) };
}

async function verifySignatures({ payload, signatures, sealed }, keys) {
  const headers = signatures.map((entry) => rules.readProtected(entry.protected));
  const typ = sealed === undefined ? rules.CONTROL_TYPE : rules.MESSAGE_TYPE;
  require(headers.every((header) => header.typ === typ), "E_ENVELOPE", "sealed and typ do not agree");
  for (const { kid } of headers) require(keys.has(kid), "E_KEY_UNKNOWN", kid);
  const [owner] = headers.map(({ kid }) => ownerOf(kid));
  require(headers.every(({ kid }) => ownerOf(kid) === owner), "E_SIG_POLICY", "several owners");
  require(new Set(headers.map(({ alg }) => alg)).size === headers.length, "E_SIG_POLICY", "an algorithm twice");
  // One by one: generalVerify is content with any signature that verifies.
  for (const [index, { kid }] of headers.entries()) {
    const key = await importJWK(keys.get(kid), "ES256");
    const verified = flattenedVerify({ payload, ...signatures[index] }, key, { algorithms: ["ES256"] });
    await verified.catch(({ message }) => require(false, "E_SIGNATURE", message));
  }
  return { owner, typ };
}

async function readBody(sealed, payload, { kid, jwk }) {
  require(payload.to.includes(ownerOf(kid)), "E_NOT_RECIPIENT", `${kid} is not addressed`);
  require(sealed !== undefined, "E_ENVELOPE", "a control message has no body");
  const jwe = attempt("E_SEAL", () => parse(bytesOf(sealed)));
  rules.checkJwe(jwe);
  require(Buffer.from(decode(jwe.aad)).equals(bindingOf(payload)), "E_SEAL_BINDING", "sealed for another message");
  const { recipients, ...shared } = jwe;
  const owners = recipients.map(({ header }) => ownerOf(header.kid)).sort();
  require(sameList(owners, payload.to), "E_RECIPIENTS", `sealed to ${owners}`);
  // Chosen by key id: generalDecrypt would try them all.
  const ours = recipients.find(({ header }) => header.kid === kid);
  require(ours !== undefined, "E_NO_KEY", `not sealed to ${kid}`);
  const algorithms = { keyManagementAlgorithms: [rules.ALG], contentEncryptionAlgorithms: [rules.ENC] };
  const opened = flattenedDecrypt({ ...shared, ...ours }, await importJWK(jwk, rules.ALG), algorithms);
  const { plaintext } = await opened.catch(({ message }) => require(false, "E_DECRYPT", message));
  require(sha256(plaintext) === payload.body_sha256, "E_COMMITMENT", "the plaintext is not what was committed to");
  const body = attempt("E_BODY", () => parse(plaintext));
  require(isBytes(body.salt, 32), "E_BODY_SCHEMA", "salt is not 256 bits");
  return body;
}

const COMMANDS = { make, "make-control": makeControl, read };

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...request } = JSON.parse(line);
  try {
    console.log(JSON.stringify(await COMMANDS[command](request)));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log(JSON.stringify({ code: error.code, detail: error.message }));
  }
}
