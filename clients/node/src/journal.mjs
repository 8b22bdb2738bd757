// What was sent and received, one JSON line each: on the disk before anybody is told, in memory to be looked up.
import { randomInt } from 'node:crypto'
import { fsyncSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { laneOf } from './verify.mjs'

export class Journal {
  /** Maps: received by `${from} ${id}`; sent, waiting (not confirmed) and about (what of theirs) by id; held by wire. */
  constructor(file) {
    for (const map of ['received', 'sent', 'waiting', 'about', 'held', 'threads', 'numbers']) this[map] = new Map()
    this.disk = openSync(file, 'a+', 0o600)
    const text = readFileSync(file, 'utf8')
    const whole = text.slice(0, text.lastIndexOf('\n') + 1) // half a line is a crash's, and nobody was told of it
    ftruncateSync(this.disk, Buffer.byteLength(whole))
    for (const line of whole.split('\n').filter(Boolean)) this.remember(JSON.parse(line))
    if (!this.epoch) this.note({ what: 'begun', epoch: Math.floor(Date.now() / 1000), first: randomInt(2 ** 32), version: 0 })
  }

  /** Writes the entries together, and waits for the disk. */
  note(...entries) {
    writeFileSync(this.disk, entries.map((entry) => JSON.stringify(entry) + '\n').join(''))
    if (entries.some(({ what }) => what !== 'confirmed')) fsyncSync(this.disk) // one lost of those: published twice
    entries.forEach((entry) => this.remember(entry))
  }

  remember(entry) {
    const { what, id, epoch, first, version, payload, wire, body, about } = entry
    if (what === 'begun') Object.assign(this, { epoch, first, version })
    if (what === 'list') this.version = version // the highest seen
    if (what === 'received') this.received.set(`${payload.from} ${payload.id}`, entry)
    if (what === 'sent') for (const map of [this.sent, this.waiting]) map.set(payload.id, entry)
    if (what === 'sent') for (const to in payload.seq?.n) this.numbers.set(`${to} ${laneOf(payload)}`, payload.seq.n[to])
    if (about) this.about.set(about, entry)
    if (what === 'confirmed') this.waiting.delete(id)
    if (what === 'held') this.held.set(wire, entry)
    if (what === 'settled') this.held.delete(wire)
    if (body && !this.threads.has(body.thread)) this.threads.set(body.thread, payload.from)
  }
}
