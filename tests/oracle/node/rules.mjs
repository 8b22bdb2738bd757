// What envelope, payload and sealed body must look like, read from wire-format.md.
// Promises: the first rule broken throws Refused with the code of its step. Checks no signature, opens nothing,
// judges no time, trust, authority or sequence.

import { decode, hasExactly, isBytes, isObject, parse } from "./strict.mjs";

export const MESSAGE_TYPE = "ncp-bridge+jws";
export const CONTROL_TYPE = "ncp-bridge-control+jws";
export const CONTROL_KINDS = ["receipt", "heartbeat", "resend_request"];
export const ALG = "ECDH-ES+A256KW";
export const ENC = "A256GCM";

const MAX_MESSAGE_BYTES = 1024 * 1024;
const MAX_PLAINTEXT_BYTES = 128 * 1024;
const MAX_RECIPIENTS = 64;
const CONTACT_POINT = /^[a-z]{2}\.[a-z0-9-]{1,32}$/;
const KID = /^[a-z]{2}\.[a-z0-9-]{1,32}#.+$/s;
const MESSAGE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const SCHEMA = /^urn:ncp-bridge:([a-z_]+):(\d+)\.\d+$/;
const STATUSES = ["actual", "exercise", "system", "test"];
const URGENCIES = ["immediate", "expected", "future", "past", "unknown"];

const COMMON = ["v", "id", "kind", "schema", "status", "urgency", "from", "to", "sent", "expires", "trust"];
const SEALED = [...COMMON, "seq", "sealed_sha256", "body_sha256"];
const CONTROL = [...COMMON, "control"];

/** A peer's refusal: the code of the table and what was found. */
export class Refused extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

/** Throws Refused with `code` unless `holds`. */
export function require(holds, code, detail) {
  if (!holds) throw new Refused(code, detail);
}

/** What `read` returns; whatever it throws becomes a refusal with `code`. */
export function attempt(code, read) {
  try {
    return read();
  } catch (error) {
    throw new Refused(code, error.message);
  }
}

export const ownerOf = (kid) => kid.split("#", 1)[0];

/** Steps 1 to 3. */
export function openEnvelope(raw) {
  require(raw.length <= MAX_MESSAGE_BYTES, "E_SIZE", `${raw.length} bytes`);
  const envelope = attempt("E_JSON", () => parse(raw));
  const names = "sealed" in envelope ? ["payload", "signatures", "sealed"] : ["payload", "signatures"];
  const { payload, signatures, sealed = "" } = envelope;
  require(hasExactly(envelope, names), "E_ENVELOPE", `members ${Object.keys(envelope)}`);
  require(isBytes(payload) && typeof sealed === "string", "E_ENVELOPE", "payload or sealed");
  require(Array.isArray(signatures) && signatures.length >= 1 && signatures.length <= 3, "E_ENVELOPE", "signatures");
  const wellFormed = (entry) => hasExactly(entry, ["protected", "signature"]) && Object.values(entry).every((text) => isBytes(text));
  require(signatures.every(wellFormed), "E_ENVELOPE", "a signature's members");
  return envelope;
}

/** Step 4. */
export function readProtected(text) {
  const header = attempt("E_HEADER", () => parse(decode(text)));
  const { alg, kid, typ } = header;
  const wellFormed = hasExactly(header, ["alg", "kid", "typ"]) && alg === "ES256" && [MESSAGE_TYPE, CONTROL_TYPE].includes(typ) && isMatch(KID, kid);
  require(wellFormed, "E_HEADER", JSON.stringify(header));
  return header;
}

/** Step 8: the payload's members, types and alphabets. */
export function checkPayload(payload) {
  const control = CONTROL_KINDS.includes(payload.kind);
  // Where no answer is expected (an acknowledgement, a receipt) no time for it is named.
  const optional = control ? ["reply_within_s"] : ["reply_within_s", "replaces"];
  const names = [...(control ? CONTROL : SEALED), ...optional.filter((name) => name in payload)];
  const check = (holds, detail) => require(holds, "E_SCHEMA", detail);
  check(hasExactly(payload, names), `members ${Object.keys(payload)}`);
  const { v, id, kind, schema, status, urgency, from, to, sent, expires, trust } = payload;
  check(v === 1, "v");
  check(isMatch(MESSAGE_ID, id), "id");
  check(STATUSES.includes(status) && URGENCIES.includes(urgency), "status or urgency");
  check(isMatch(CONTACT_POINT, from), "from");
  check(Array.isArray(to) && to.length >= 1 && to.length <= MAX_RECIPIENTS, "to");
  check(to.every((each) => isMatch(CONTACT_POINT, each)), "to");
  const version = isMatch(SCHEMA, schema) ? SCHEMA.exec(schema) : null;
  check(version !== null && version[1] === kind, "schema");
  require(version[2] === "1", "E_SCHEMA", schema);
  check(isMatch(TIME, sent) && isMatch(TIME, expires), "sent or expires");
  check(!("reply_within_s" in payload) || isCount(payload.reply_within_s), "reply_within_s");
  check(hasExactly(trust, ["network", "version"]) && typeof trust.network === "string" && isCount(trust.version), "trust");
  if (control) checkControl(payload, check);
  else checkSealed(payload, check);
}

function checkSealed({ sealed_sha256, body_sha256, seq, to, replaces }, check) {
  check(isBytes(sealed_sha256, 32) && isBytes(body_sha256, 32), "a digest");
  check(hasExactly(seq, ["epoch", "n"]) && isCount(seq.epoch), "seq");
  check(hasExactly(seq.n, new Set(to)) && Object.values(seq.n).every(isCount), "seq.n");
  check(replaces === undefined || isMatch(MESSAGE_ID, replaces), "replaces");
}

function checkControl({ kind, to, control }, check) {
  check(to.length === 1 && isObject(control), "control");
  if (kind !== "receipt") return;
  check(hasExactly(control, control.state === "rejected" ? ["state", "code", "of"] : ["state", "of"]), "control's members");
  const { state, code = "", of } = control;
  check(["delivered", "rejected"].includes(state) && typeof code === "string", "state or code");
  check(hasExactly(of, ["id", "payload_sha256", "sealed_sha256"]) && isMatch(MESSAGE_ID, of.id), "of");
  check(isBytes(of.payload_sha256, 32) && isBytes(of.sealed_sha256, 32), "of's digests");
}

/** Step 15, its first part: the JWE is of the one form. */
export function checkJwe(jwe) {
  const check = (holds, detail) => require(holds, "E_SEAL", detail);
  check(hasExactly(jwe, ["protected", "recipients", "aad", "iv", "ciphertext", "tag"]), `members ${Object.keys(jwe)}`);
  const header = attempt("E_SEAL", () => parse(decode(jwe.protected)));
  check(hasExactly(header, ["enc"]) && header.enc === ENC, "protected");
  check(isBytes(jwe.aad) && isBytes(jwe.iv, 12) && isBytes(jwe.tag, 16) && isBytes(jwe.ciphertext), "base64url");
  check(decode(jwe.ciphertext).length <= MAX_PLAINTEXT_BYTES, "plaintext too long");
  check(Array.isArray(jwe.recipients) && jwe.recipients.length >= 1 && jwe.recipients.every(isRecipient), "recipients");
}

function isRecipient(entry) {
  if (!hasExactly(entry, ["header", "encrypted_key"]) || !hasExactly(entry.header, ["alg", "kid", "epk"])) return false;
  const { alg, kid, epk } = entry.header;
  return (
    alg === ALG && isMatch(KID, kid) && isBytes(entry.encrypted_key, 40) &&
    hasExactly(epk, ["kty", "crv", "x", "y"]) && epk.kty === "EC" && epk.crv === "P-256" && isBytes(epk.x, 32) && isBytes(epk.y, 32)
  );
}

function isMatch(pattern, value) {
  return typeof value === "string" && pattern.test(value);
}

function isCount(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
