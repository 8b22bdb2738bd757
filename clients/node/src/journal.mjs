// What was sent and received, one JSON line each: on the disk before anybody is told, in memory to be looked up.
import { randomInt } from 'node:crypto'
import { fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { laneOf } from './verify.mjs'

export class Journal {
  /** Maps: received by `${from} ${id}`; sent, waiting (not confirmed) and about (what of theirs) by id; held by wire. */
  constructor(file) {
    for (const map of ['received', 'sent', 'waiting', 'about', 'held', 'threads', 'numbers']) this[map] = new Map()
    this.disk = openSync(file, 'a+', 0o600)
    const bytes = readFileSync(file)
    this.size = bytes.lastIndexOf('\n') + 1 // what is behind it is a crash's, and nobody was told of it
    for (const line of bytes.toString('utf8', 0, this.size).split('\n').filter(Boolean)) this.remember(JSON.parse(line))
    if (!this.epoch) this.note({ what: 'begun', epoch: Math.floor(Date.now() / 1000), first: randomInt(2 ** 32), version: 0 })
  }

  /** Writes the entries together, and waits for the disk. Where that fails, the next one begins where this one began. */
  note(...entries) {
    ftruncateSync(this.disk, this.size)
    writeFileSync(this.disk, entries.map((entry) => JSON.stringify(entry) + '\n').join(''))
    if (entries.some(({ what }) => what !== 'confirmed')) fsyncSync(this.disk) // one lost of those: published twice
    this.size = fstatSync(this.disk).size
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
