#!/usr/bin/env node
// usage: client.mjs enrol DIR --network NAME --id ID --title TEXT | publish DIR FILE --to ID[,ID] [--wait SECONDS]
//        client.mjs listen DIR [--acknowledge LEVEL --officer NAME]          one JSON line for everything that happens
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { enrol } from './src/enrol.mjs'
import { Station } from './src/station.mjs'

const text = { type: 'string' }
const options = { network: text, id: text, title: text, to: text, wait: text, acknowledge: text, officer: text }
const { values, positionals: [command, folder, file] } = parseArgs({ options, allowPositionals: true })
const say = (line) => console.log(JSON.stringify(line))
const MARKS = ['title', 'language', 'tlp', 'handling', 'handling_note', 'purpose', 'legal_basis', 'retain_until']

async function acknowledge(station, { what, payload, payload_sha256, body }) {
  if (what !== 'received' || !values.acknowledge || !['route_alert', 'alert_update', 'alert_cancel'].includes(payload.kind)) return
  const of = { from: payload.from, id: payload.id, payload_sha256 }
  const marks = Object.fromEntries(MARKS.filter((name) => name in body).map((name) => [name, body[name]]))
  const answer = { ...marks, of, level: values.acknowledge, officer: values.officer, at: new Date().toISOString() }
  const { status, urgency, from } = payload
  const { id } = await station.send({ kind: 'acknowledgement', status, urgency, to: [from], body: answer, thread: body.thread, references: [of] })
  say({ what: 'acknowledged', id, of: payload.id })
}

if (command === 'enrol') say(enrol(folder, values))
else if (command === 'publish' || command === 'listen') {
  const station = new Station(folder)
  await station.open()
  const done = new Promise((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve))
  const listening = command === 'listen' || values.wait
  if (listening) await station.listen(async (entry) => (say(entry), acknowledge(station, entry)))
  if (command === 'publish') {
    const { kind, status, urgency, body } = JSON.parse(readFileSync(file, 'utf8'))
    const { id } = await station.send({ kind, status, urgency, to: values.to.split(','), body })
    say({ what: 'published', id })
  } else say({ what: 'listening' })
  if (listening) await Promise.race([done, ...(values.wait ? [new Promise((resolve) => setTimeout(resolve, values.wait * 1000))] : [])])
  await station.close()
} else throw new Error('expected enrol, publish or listen')
