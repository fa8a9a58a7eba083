/** `npm run bench -- NAME`: prints what was measured. Loaded by name, so that one bench needs nothing of another. */
const benches: Readonly<Record<string, () => Promise<string[]>>> = {
  bundles: async () => (await import('./bundles.ts')).measureBundles(),
  window: async () => (await import('./window.ts')).windowBench(),
  'aws-scale': async () => (await import('./aws-scale.ts')).awsScale(),
}

const [name = ''] = process.argv.slice(2)
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
if (bench) {
  for (const line of await bench()) console.log(line)
} else {
  console.error(`No bench called "${name}". There are: ${Object.keys(benches).join(', ')}`)
  process.exitCode = 2
}
