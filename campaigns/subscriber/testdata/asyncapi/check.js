// Reads an AsyncAPI file with its makers' parser, and prints its version; or its errors.
const { readFileSync } = require('node:fs')
const { Parser } = require('@asyncapi/parser')

async function main(path) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, 'utf8'))
  const errors = diagnostics.filter((d) => d.severity <= 1) // errors and warnings
  for (const d of errors) console.error(`${d.path.join('/')}: ${d.message}`)
  if (!document || errors.length) process.exit(1)
  console.log(document.version(), document.channels().all().map((c) => c.address()).join(' '))
}
main(process.argv[2])
