// A contact point on the broker. What it sends and receives is in the journal before anybody is told.
import { once } from 'node:events'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import amqp from 'amqplib'
import { Journal } from './journal.mjs'
import { ALG, makeControl, makeSealed, newId } from './make.mjs'
import { fits } from './schemas.mjs'
import { check, sha256 } from './strict.mjs'
import { countryOf, isControl, laneOf, verify } from './verify.mjs'

const HELD = ['E_TRUST_STALE', 'E_KEY_UNKNOWN', 'E_FUTURE']
const [SECOND, MINUTE, WEEK] = [1000, 60_000, 7 * 86_400_000]
const read = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))
const isBefore = (moment) => Date.now() < Date.parse(moment)
const complain = ({ message }) => void console.error(message)

export class Station {
  /** `folder` has keys.json and client.json: {id, network: file, relay: URL, router: URL}. */
  constructor(folder, onMessage) {
    Object.assign(this, read(folder, 'client.json'), { folder, onMessage, turn: Promise.resolve() })
    Object.assign(this, { underway: new Set(), answered: new Map() }) // what is being published; when somebody was answered last
    this.keys = new Map(read(folder, 'keys.json').keys.map((jwk) => [jwk.kid, jwk]))
  }

  /** Takes the folder for this process alone, by a name of Linux's that goes when the process does; reads the journal. */
  async begin() {
    const lock = createServer().listen(`\0${sha256(realpathSync(this.folder))}`).unref()
    await once(lock, 'listening').catch(() => check(false, 0, 'E_BUSY', `another process works in ${this.folder}`))
    this.journal = new Journal(join(this.folder, 'journal.jsonl'))
  }

  /** One thing after the other: so a number is used once, and a copy known again. */
  inTurn(work) {
    const done = this.turn.then(work)
    this.turn = done.catch(() => {})
    return done
  }

  /** The list, read again whenever its file has changed. */
  get list() {
    const { mtimeMs } = statSync(join(this.folder, this.network))
    if (this.seen?.mtimeMs !== mtimeMs) this.seen = { mtimeMs, list: read(this.folder, this.network) }
    check((this.seen.isGood ??= fits('membership-export', this.seen.list)), 0, 'E_LIST', 'the list is not of its form')
    if (this.seen.list.version > this.journal.version) this.journal.note({ what: 'list', version: this.seen.list.version })
    return this.seen.list
  }

  /** The newest key of a contact point for `alg` that may be used; of our own, one that we have. */
  key(id, alg) {
    const keys = this.list.contact_points.find((point) => point.id === id)?.keys ?? []
    const usable = keys.filter((key) => key.alg === alg && !key.revoked_at && isBefore(key.use_until))
    const known = usable.filter(({ kid }) => id !== this.id || this.keys.has(kid))
    const [newest] = known.sort((a, b) => (a.use_until < b.use_until ? 1 : -1))
    return newest ?? check(false, 0, 'E_KEY', `${id} has no key for ${alg} in the list`)
  }

  header(kind, to, { status, urgency }) {
    const [now, { network, version, expires }] = [Date.now(), this.list]
    check(version === this.journal.version && isBefore(expires), 0, 'E_TRUST_STALE', 'the list is too old')
    const times = { sent: new Date(now).toISOString(), expires: new Date(now + WEEK).toISOString() }
    const about = { v: 1, id: newId(now), kind, schema: `urn:ncp-bridge:${kind}:1.0`, status, urgency, from: this.id }
    return { ...about, to: [...new Set(to)].sort(), ...times, trust: { network, version } }
  }

  /** Seals, signs and notes a message (in turn); it is published until the broker has it. */
  async write({ kind, body, to, ...marks }) {
    const header = this.header(kind, to, marks)
    const { numbers, first, epoch } = this.journal
    const whole = { thread: header.id, references: [], ...body }
    check(fits(kind, { ...whole, salt: 'A'.repeat(43) }), 0, 'E_BODY_SCHEMA', `the body is no ${kind}`)
    const n = Object.fromEntries(header.to.map((id) => [id, (numbers.get(`${id} ${laneOf(header)}`) ?? first) + 1]))
    const [recipients, signing] = [header.to.map((id) => this.key(id, ALG)), this.keys.get(this.key(this.id, 'ES256').kid)]
    const made = await makeSealed({ ...header, seq: { epoch, n } }, whole, recipients, signing)
    this.journal.note({ what: 'sent', ...made, about: body.of?.id })
    this.flush()
    return made.payload
  }

  /** A signed receipt: whole, verified, stored; or rejected with a code. */
  async receipt({ payload, payload_sha256, signer, code }) {
    const { id, sealed_sha256 } = payload
    const control = { state: code ? 'rejected' : 'delivered', code, of: { id, payload_sha256, sealed_sha256 } }
    return makeControl(this.header('receipt', [signer], payload), control, this.keys.get(this.key(this.id, 'ES256').kid))
  }

  /** Publishes what the broker has not confirmed: the same bytes, once for each country. */
  flush() {
    for (const entry of this.out ? this.journal.waiting.values() : []) {
      if (this.underway.has(entry)) continue
      this.underway.add(entry)
      this.publish(entry, this.out).catch(complain).finally(() => this.underway.delete(entry))
    }
  }

  async publish({ payload, payload: { id, kind, from, to }, wire }, out) {
    const hints = { contentType: 'application/jose+json', correlationId: id, type: kind, appId: from }
    const confirmed = [...new Set(to.map(countryOf))].map((country) => new Promise((resolve, reject) => {
      const [messageId, key] = [newId(), `${countryOf(from)}.${country}.${laneOf(payload)}.${kind}`]
      const fault = () => (out.returned.delete(messageId) ? new Error(`no queue for ${key}`) : null)
      const settle = (error) => ((error ??= fault()) ? reject(error) : resolve())
      const properties = { ...hints, messageId, persistent: true, mandatory: true }
      out.publish(`from.${countryOf(from)}`, key, Buffer.from(wire, 'base64'), properties, settle)
    }))
    await Promise.all(confirmed)
    this.journal.note({ what: 'confirmed', id })
    await this.onMessage({ what: 'confirmed', id })
  }

  /** Works until `close`, and begins anew when anything fails: what was not acknowledged comes again. */
  async run(onReady) {
    setInterval(() => this.lookAgain().catch(complain), 5 * SECOND).unref()
    for (; !this.isClosed; await pause(SECOND)) await this.connected(onReady).catch(complain)
  }

  async connected(onReady) {
    this.key(this.id, 'ES256') // nothing is taken that could not be answered
    const lines = await Promise.allSettled([this.relay, this.router].map((url) => amqp.connect(url)))
    this.end = () => Promise.allSettled(lines.map(({ value }) => value?.close()))
    try {
      const [relay, router] = lines.map(({ value, reason }) => value ?? check(false, 0, 'E_BROKER', reason?.message))
      const [out, into] = [await relay.createConfirmChannel(), await router.createChannel()]
      const broken = Promise.race([relay, router, out, into].map((each) => once(each, 'close'))) // an 'error' is thrown
      out.on('return', ({ properties }) => out.returned.add(properties.messageId)).returned = new Set()
      await into.prefetch(16)
      onReady((this.out = out))
      const take = async (message) => {
        if (this.isClosed) return // it comes again
        await this.take(message.content, message)
        into.ack(message)
      }
      const country = countryOf(this.id)
      for (const queue of [`country.${country}.urgent`, `country.${country}.normal`, `dead.${country}`]) {
        await into.consume(queue, (message) => this.inTurn(() => take(message)).catch((error) => complain(error, this.end())))
      }
      this.flush()
      await broken
    } finally {
      this.out = null
      await this.end()
    }
  }

  /** Ends when what is being worked on is done. */
  async close() {
    this.isClosed = true
    await this.turn
    await this.out?.waitForConfirms().catch(complain)
    await this.end?.()
  }

  /** Verifies a message; notes it, and the answer to it; tells `onMessage`. Then it may be acknowledged. */
  async take(wire, { fields, properties }) {
    const { journal } = this
    const came = await this.judge(wire, { fields, properties })
    const { payload, payload_sha256, code, control, duplicate } = came
    const [raw, name] = [wire.toString('base64'), payload && `${payload.from} ${payload.id}`]
    const what = HELD.includes(code) ? 'held' : code ? 'refused' : control ? 'control' : 'received'
    if (what === 'held' && journal.held.has(raw)) return
    const entry = duplicate ? journal.received.get(name) : { what, ...came, ...(code && { wire: raw, fields, properties }) }
    const entries = [...(duplicate ? [] : [entry]), ...(journal.held.has(raw) ? [{ what: 'settled', wire: raw }] : [])]
    const answered = `${name} ${payload_sha256} ${code}` // another payload under a known id is no duplicate
    const isAnswered = payload && what !== 'held' && !isControl(payload) && !(Date.now() - this.answered.get(answered) < MINUTE)
    if (isAnswered) entries.push({ what: 'sent', ...(await this.receipt(came)) })
    journal.note(...entries)
    if (isAnswered) this.answered.set(answered, Date.now())
    if (payload?.kind === 'resend_request' && what === 'control') this.repeat(payload.from, control)
    this.flush()
    // What it throws is complained about, and undoes nothing: the same message would fail again, and those behind it wait.
    await Promise.resolve().then(() => this.onMessage(entry, duplicate)).catch(complain)
  }

  async judge(wire, { fields, properties: { correlationId, type, appId, userId, headers } }) {
    const { journal, keys, id: recipient, list: network } = this
    const routing_key = fields.exchange === 'dead' ? null : fields.routingKey // behind dead letters it is another
    const sentTo = (from, own) => (own?.payload.to.includes(from) ? { ...own.payload, ...own } : null)
    const given = {
      network, keys, recipient, country: countryOf(recipient), at: Date.now(), highestVersion: journal.version,
      properties: { correlation_id: correlationId, type, app_id: appId, user_id: userId, headers, routing_key },
      known: ({ from, id }) => journal.received.get(`${from} ${id}`)?.payload_sha256,
      sent: ({ id }, from) => sentTo(from, journal.sent.get(id)),
      originator: (thread) => journal.threads.get(thread),
    }
    return verify(wire, given).catch(({ proven, step, code }) => ({ ...proven, step, code: step ? code : 'E_UNFORESEEN' }))
  }

  /** Lets what somebody misses go out again, the same bytes. */
  repeat(to, { epoch, lane, numbers }) {
    const isAsked = (own) => own.seq?.epoch === epoch && laneOf(own) === lane && numbers.includes(own.seq.n[to])
    for (const [id, entry] of this.journal.sent) if (isAsked(entry.payload)) this.journal.waiting.set(id, entry)
  }

  /** Publishes again what the broker did not take, and verifies again what was held: list or clock may have changed. */
  async lookAgain() {
    this.flush()
    for (const held of this.journal.held.values()) await this.inTurn(() => this.take(Buffer.from(held.wire, 'base64'), held))
  }
}
