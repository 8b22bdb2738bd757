#!/usr/bin/env node
// usage: client.mjs enrol DIR --network NAME --id ID --title TEXT | publish DIR FILE --to ID[,ID] [--wait SECONDS]
//        client.mjs listen DIR [--acknowledge LEVEL --officer NAME]          one JSON line for everything that happens
// exit status: 0 done; 1 failed, or not done in time; 2 not asked like this
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { enrol } from './src/enrol.mjs'
import { Station } from './src/station.mjs'
import { check, parse } from './src/strict.mjs'

process.on('uncaughtException', ({ code, message }) => {
  console.error(`${code ?? 'E_INTERNAL'}: ${message}`)
  process.exit(/USAGE|ARGS/.test(code) ? 2 : 1)
})
const options = Object.fromEntries('network id title to wait acknowledge officer'.split(' ').map((n) => [n, { type: 'string' }]))
const { values: given, positionals: [command, folder, file] } = parseArgs({ options, allowPositionals: true })
const LEVEL = /^(delivered|read|accepted|forwarded_nationally|not_competent)$/
const needed = { enrol: ['network', 'id', 'title'], publish: ['to'], listen: given.acknowledge ? ['officer'] : [] }[command]
const isMeant = LEVEL.test(given.acknowledge ?? 'accepted') && (given.wait ?? 0) >= 0 && (file || command !== 'publish')
check(folder && isMeant && needed?.every((name) => given[name]), 0, 'E_USAGE', 'client.mjs says at its top what is expected')
const MARKS = ['title', 'language', 'tlp', 'handling', 'handling_note', 'purpose', 'legal_basis', 'retain_until']
const say = ({ wire, fields, properties, ...line }) => console.log(JSON.stringify(line))
const waited = new Set(given.to?.split(',')) // for whose receipts

/** An officer's answer to an alert, once, also where a crash came in between. */
async function acknowledge({ payload, payload_sha256, body }) {
  if (!body || !/^(route_)?alert/.test(payload.kind) || station.journal.about.has(payload.id)) return
  const [{ id, from, status, urgency }, { thread }] = [payload, body]
  const of = { from, id, payload_sha256 }
  const marks = Object.fromEntries(MARKS.filter((name) => name in body).map((name) => [name, body[name]]))
  const answer = { of, thread, references: [of], level: given.acknowledge, officer: given.officer, at: new Date().toISOString() }
  const sent = await station.write({ kind: 'acknowledgement', to: [from], status, urgency, body: { ...marks, ...answer } })
  say({ what: 'acknowledged', id: sent.id, of: id })
}

let station, published
if (command === 'enrol') say(enrol(folder, given))
else {
  station = new Station(folder, async (entry, isDuplicate) => {
    const isOurs = published && (entry.id ?? entry.control?.of?.id) === published
    if (entry.what !== 'confirmed') isDuplicate || say(entry)
    else if (isOurs) say({ what: 'published', id: published })
    if (given.acknowledge) await acknowledge(entry)
    if (isOurs) given.wait ? waited.delete(entry.payload?.from) : waited.clear()
    if (isOurs && !waited.size) station.close()
  })
  await station.begin()
  if (command === 'publish') {
    const alert = { ...parse(readFileSync(file), 0, 'E_JSON'), to: [...waited] }
    published = (await station.inTurn(() => station.write(alert))).id
    setTimeout(() => station.close(), (given.wait ?? 30) * 1000).unref()
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => station.close())
  await station.run(() => command === 'listen' && say({ what: 'listening' }))
  process.exitCode = waited.size ? 1 : 0
}
