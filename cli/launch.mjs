#!/usr/bin/env node
// Plain JavaScript on purpose: it must start on any Node to say which one is needed.
import { existsSync } from 'node:fs'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`whodunit needs Node.js 22.19 or newer; this is ${process.versions.node}.\n`)
  process.exit(2)
}
const warn = process.emitWarning
process.emitWarning = (warning, ...rest) => {
  if (!String(warning).includes('SQLite is an experimental feature')) warn.call(process, warning, ...rest)
}
const bundle = new URL('../dist/main.mjs', import.meta.url)
const { main } = await import(existsSync(bundle) ? bundle.href : new URL('./main.ts', import.meta.url).href)
process.exitCode = await main(process.argv)
