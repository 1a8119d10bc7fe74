// Prints the messages of a channel (kafkajs; npm ci). BROKERS, GROUP, CHANNEL and PREFIX say where; DOOR and KEY report.
const { Kafka, logLevel, CompressionTypes, CompressionCodecs } = require('kafkajs')
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')

const { BROKERS = '127.0.0.1:9092', GROUP = 'printer', CHANNEL = 'email', PREFIX = '', DOOR, KEY } = process.env
const consumer = new Kafka({ brokers: BROKERS.split(','), logLevel: logLevel.ERROR }).consumer({ groupId: PREFIX + GROUP })
const seen = new Set() // the last ids: a crash may repeat one

async function eachMessage({ message }) { // its offset is committed after this
  const m = JSON.parse(message.value)
  if (seen.has(m.message_id) || Date.parse(m.expires_time) < Date.now()) return
  console.log(`${m.message_id} to ${m.customer_id}: ${m.subject}`)
  if (DOOR) await report(m, 'Email Delivered')
  if (seen.add(m.message_id).size > 4096) seen.delete(seen.values().next().value)
}

async function report({ message_id, campaign_id, arm, channel, customer_id }, event) {
  const body = JSON.stringify({ event, userId: customer_id, messageId: `${message_id}/delivered`, properties: { message_id, campaign_id, arm, channel } })
  const headers = { authorization: 'Basic ' + btoa(KEY + ':'), 'content-type': 'application/json' }
  const { ok, status } = await fetch(DOOR + '/v1/track', { method: 'POST', headers, body })
  if (!ok) throw new Error(`the door says ${status}`) // kafkajs tries again
}

consumer.connect()
  .then(() => consumer.subscribe({ topic: `${PREFIX}campaigns.${CHANNEL}`, fromBeginning: true }))
  .then(() => consumer.run({ eachMessage, autoCommitThreshold: 1 }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => consumer.disconnect())
