// Strict JSON and canonical base64url, where JSON.parse and jose are lenient (wire-format: steps 2 and 3).
// Promises: no duplicate member, float or lone surrogate, bounded depth, one spelling of each byte string.

import { createHash } from "node:crypto";
import { base64url } from "jose";

const MAX_DEPTH = 24;
const TOKEN = /[ \t\r\n]*([{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+)/y;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The JSON object in `bytes`; throws for anything else, floats and unsafe integers included. */
export function parse(bytes) {
  const text = UTF8.decode(bytes);
  const value = JSON.parse(text);
  if (!isObject(value)) throw new SyntaxError("not an object");
  refuseAmbiguity(text);
  return value;
}

// JSON.parse has vouched for the grammar; the tokens show what it silently let pass.
function refuseAmbiguity(text) {
  const open = [];
  let before = "";
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const token = match[1];
    if (token === "{" || token === "[") {
      open.push(new Set());
      if (open.length > MAX_DEPTH) throw new SyntaxError("nested too deeply");
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (token === ":") {
      const name = JSON.parse(before);
      if (open.at(-1).has(name)) throw new SyntaxError(`duplicate member ${name}`);
      open.at(-1).add(name);
    } else if (token.startsWith('"')) {
      if (!JSON.parse(token).isWellFormed()) throw new SyntaxError("lone surrogate");
    } else if (/^-?\d/.test(token) && !isSafeInteger(token)) {
      throw new SyntaxError(`${token} is not a safe integer`);
    }
    before = token;
  }
}

function isSafeInteger(token) {
  return /^-?\d+$/.test(token) && Number.isSafeInteger(Number(token));
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether `value` is an object with exactly these members. */
export function hasExactly(value, names) {
  return isObject(value) && sameList(Object.keys(value).sort(), [...names].sort());
}

export function sameList(left, right) {
  return left.length === right.length && left.every((each, index) => each === right[index]);
}

/** The bytes behind canonical unpadded base64url; throws for every other spelling. */
export function decode(text) {
  if (typeof text !== "string") throw new TypeError("not a string");
  const bytes = base64url.decode(text);
  if (base64url.encode(bytes) !== text) throw new TypeError("not canonical base64url");
  return bytes;
}

/** Whether `value` is canonical base64url, of `length` bytes if that is given. */
export function isBytes(value, length) {
  try {
    const found = decode(value).length;
    return length === undefined || found === length;
  } catch {
    return false;
  }
}

/** The SHA-256 of `bytes` as base64url. */
export function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("base64url");
}
