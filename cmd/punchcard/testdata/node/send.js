// Sends what comes on standard input through Segment's own Node client, unmodified:
// only host and write key are ours. Input: [{"call": "track", "params": {...}}, ...].
// Output: one line of JSON for each message that the client says was delivered.
const { readFileSync } = require('node:fs')
const { Analytics } = require('@segment/analytics-node')

const client = new Analytics({ writeKey: process.env.WRITE_KEY, host: process.env.HOST, flushAt: 3, flushInterval: 200 })
let failed = false
client.on('error', (err) => {
  failed = true
  console.error(err)
})

async function main() {
  const calls = JSON.parse(readFileSync(0, 'utf8'))
  const sent = calls.map(
    ({ call, params }) =>
      new Promise((resolve, reject) =>
        client[call](params, (err, ctx) => {
          if (err) return reject(err)
          console.log(JSON.stringify({ type: ctx.event.type, message_id: ctx.event.messageId }))
          resolve()
        })
      )
  )
  await Promise.all(sent)
  await client.closeAndFlush()
  process.exitCode = failed ? 1 : 0
}

main().catch((err) => {
  console.error(err)
  process.exitCode = 1
})
