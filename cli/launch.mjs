#!/usr/bin/env node
// Plain and old JavaScript on purpose, without a single static import: it must start on any Node to say which is needed.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

const quietAboutSqlite = () => {
  const warn = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).includes('SQLite is an experimental feature')) warn.call(process, warning, ...rest)
  }
}

/** A config in TypeScript is a module, whatever `"type"` the package.json of its folder has: `npm init` writes commonjs. */
const treatConfigsAsModules = async () => {
  const { registerHooks } = await import('node:module')
  const isConfig = (url) => /^file:.*\.ts(\?|$)/.test(url) && !url.includes('/node_modules/')
  registerHooks({
    load: (url, context, next) => next(url, isConfig(url) ? { ...context, format: 'module-typescript' } : context),
  })
}

/**
 * Names are looked up by libuv's threads, of which it has four and gives names two: two names whose servers are dead
 * would hold up the looks at all others, and the pages. Read when the first of them is needed, which is later than now.
 */
const lookUpNamesSideBySide = () => {
  process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '64'
}

const run = async () => {
  lookUpNamesSideBySide()
  const { existsSync } = await import('node:fs')
  const bundle = new URL('../dist/main.mjs', import.meta.url)
  const source = new URL('./main.ts', import.meta.url)
  quietAboutSqlite()
  await treatConfigsAsModules()
  const { main } = await import((existsSync(bundle) ? bundle : source).href)
  process.exitCode = await main(process.argv)
}

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`whodunit needs Node.js 22.19 or newer; this is ${process.versions.node}.\n`)
  process.exitCode = 2
} else {
  void run()
}
