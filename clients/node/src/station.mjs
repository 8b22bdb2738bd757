// A contact point on the broker: what it sends and receives is in a journal on the disk before anybody is told.
import { randomInt } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import amqp from 'amqplib'
import { makeControl, makeSealed, newId } from './make.mjs'
import { fits } from './schemas.mjs'
import { isControl, laneOf, verify } from './verify.mjs'

const HELD = ['E_TRUST_STALE', 'E_KEY_UNKNOWN', 'E_FUTURE']
const [DAY, MINUTE] = [86_400_000, 60_000]
const json = (path) => JSON.parse(readFileSync(path, 'utf8'))

export class Station {
  /** `folder` has keys.json and client.json: {id, network: file, relay: url, router: url}, and the journal. */
  constructor(folder) {
    Object.assign(this, json(join(folder, 'client.json')), { journal: [], folder })
    this.keys = new Map(json(join(folder, 'keys.json')).keys.map(({ kid, ...jwk }) => [kid, jwk]))
    const file = join(folder, 'journal.jsonl')
    if (existsSync(file)) this.journal = readFileSync(file, 'utf8').split('\n').filter(Boolean).map(JSON.parse)
    this.disk = openSync(file, 'a', 0o600)
    if (!this.journal.length) this.note({ what: 'begun', epoch: 1, first: randomInt(2 ** 32) })
  }

  get list() {
    return json(join(this.folder, this.network)) // read anew: an export is replaced while we run
  }

  note(entry) {
    writeSync(this.disk, JSON.stringify(entry) + '\n')
    fsyncSync(this.disk)
    this.journal.push(entry)
    return entry
  }

  async open() {
    this.connections = await Promise.all([this.relay, this.router].map((url) => amqp.connect(url)))
    this.out = await this.connections[0].createConfirmChannel()
  }

  async close() {
    await Promise.all(this.connections.map((each) => each.close()))
    closeSync(this.disk)
  }

  header({ kind, status, urgency, to, lifetime = 7 * DAY }) {
    const [now, { network, version }] = [Date.now(), this.list]
    const times = { sent: new Date(now).toISOString(), expires: new Date(now + lifetime).toISOString() }
    const schema = `urn:ncp-bridge:${kind}:1.0`
    return { v: 1, id: newId(now), kind, schema, status, urgency, from: this.id, to: [...to].sort(), ...times, trust: { network, version } }
  }

  get signing() {
    const at = Date.now()
    const own = this.list.contact_points.find(({ id }) => id === this.id).keys
    const { kid } = own.find((key) => key.alg === 'ES256' && !key.revoked_at && Date.parse(key.use_until) > at && this.keys.has(key.kid))
    return { kid, ...this.keys.get(kid) }
  }

  number(to, lane) {
    const used = this.journal.filter(({ what, numbers, lane: own }) => what === 'sent' && own === lane && numbers && to in numbers)
    return used.length ? used.at(-1).numbers[to] + 1 : this.journal[0].first
  }

  /** Seals, signs, notes and publishes; answers the payload once the broker has confirmed it. */
  async send({ body, references = [], thread, ...header }) {
    const payload = this.header(header)
    const lane = laneOf(payload)
    const numbers = Object.fromEntries(payload.to.map((to) => [to, this.number(to, lane)]))
    const newest = (point) => point.keys.filter(({ alg, revoked_at }) => alg !== 'ES256' && !revoked_at).sort((a, b) => (a.use_until < b.use_until ? 1 : -1))[0]
    const recipients = payload.to.map((to) => newest(this.list.contact_points.find(({ id }) => id === to)))
    const whole = { thread: thread ?? payload.id, references, ...body }
    if (!fits(payload.kind, { ...whole, salt: 'A'.repeat(43) })) throw new Error(`the body is no ${payload.kind}`)
    const made = await makeSealed({ ...payload, seq: { epoch: this.journal[0].epoch, n: numbers } }, whole, { recipients, signing: this.signing })
    const { wire, ...digests } = made
    await this.publish(this.note({ what: 'sent', payload, lane, numbers, ...digests, wire: wire.toString('base64') }))
    return payload
  }

  /** Once for each destination country, the same bytes; persistent, mandatory, confirmed. */
  async publish({ payload: { id, kind, from, to, urgency }, wire }) {
    for (const country of new Set(to.map((each) => each.slice(0, 2)))) {
      const key = `${from.slice(0, 2)}.${country}.${laneOf({ urgency })}.${kind}`
      const properties = { contentType: 'application/jose+json', persistent: true, mandatory: true, correlationId: id, messageId: newId(), type: kind, appId: from }
      this.out.publish(`from.${from.slice(0, 2)}`, key, Buffer.from(wire, 'base64'), properties)
    }
    await this.out.waitForConfirms()
    this.note({ what: 'confirmed', id })
  }

  async answer({ payload: { id, from, kind, sealed_sha256, status, urgency }, payload_sha256 }, code) {
    const payload = this.header({ kind: 'receipt', status, urgency, to: [from] })
    const control = { state: code ? 'rejected' : 'delivered', ...(code && { code }), of: { id, payload_sha256, sealed_sha256 } }
    const { wire } = await makeControl(payload, control, this.signing)
    await this.publish({ payload, wire: wire.toString('base64'), kind })
  }
  /** Follows the country's queues: each message is verified, noted, answered, and only then acknowledged to the broker. */
  async listen(onMessage) {
    const channel = await this.connections[1].createChannel()
    await channel.prefetch(16)
    const confirmed = new Set(this.journal.filter(({ what }) => what === 'confirmed').map(({ id }) => id))
    for (const sent of this.journal.filter(({ what, payload }) => what === 'sent' && !confirmed.has(payload.id))) await this.publish(sent)
    const country = this.id.slice(0, 2)
    for (const lane of ['urgent', 'normal']) {
      await channel.consume(`country.${country}.${lane}`, async (message) => {
        await this.take(message.content, { ...message.properties, routing_key: message.fields.routingKey }, onMessage)
        channel.ack(message)
      })
    }
    const held = setInterval(() => this.lookAgain(onMessage), MINUTE)
    this.connections[1].on('close', () => clearInterval(held))
  }

  async lookAgain(onMessage) {
    const settled = new Set(this.journal.filter(({ what }) => what === 'again').map(({ wire }) => wire))
    for (const { wire, hints } of this.journal.filter(({ what, wire: own }) => what === 'held' && !settled.has(own))) {
      const came = await this.take(Buffer.from(wire, 'base64'), hints, onMessage)
      if (came !== 'held') this.note({ what: 'again', wire })
    }
  }

  async take(wire, hints, onMessage) {
    const { correlationId, type, appId, userId, headers, routing_key } = hints
    const properties = { correlation_id: correlationId, type, app_id: appId, user_id: userId, headers: headers ?? {}, routing_key }
    const entries = (what) => this.journal.filter((entry) => entry.what === what)
    const highestVersion = Math.max(0, ...entries('list').map(({ version }) => version))
    const network = this.list
    if (network.version > highestVersion) this.note({ what: 'list', version: network.version })
    const given = {
      network, properties, highestVersion, at: Date.now(), country: this.id.slice(0, 2), recipient: this.id, keys: this.keys,
      known: ({ from, id }) => entries('received').find(({ payload: own }) => own.from === from && own.id === id)?.payload_sha256,
      sent: ({ id }) => entries('sent').find(({ payload: own }) => own.id === id),
      originator: (thread) => entries('received').find(({ body }) => body?.thread === thread)?.payload.from,
    }
    try {
      const { payload, payload_sha256, body, control, duplicate } = await verify(wire, given)
      const entry = { what: control ? 'control' : 'received', payload, payload_sha256, body, control }
      if (!duplicate) this.note(entry)
      if (!control) await this.answer(entry)
      if (!duplicate) await onMessage(entry)
      return entry.what
    } catch ({ code, step, message, proven }) {
      if (!code) throw new Error(message)
      const what = HELD.includes(code) ? 'held' : 'refused'
      const isHeldAgain = what === 'held' && entries('held').some((own) => own.wire === wire.toString('base64'))
      if (!isHeldAgain) this.note({ what, code, step, hints, wire: wire.toString('base64') })
      if (what === 'refused' && proven && !isControl(proven.payload)) await this.answer(proven, code)
      return what
    }
  }
}
