import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Annotations } from 'aws-cdk-lib/core'
import { readConfigFile } from '../config/config-file.ts'
import { issueText } from '../config/issues.ts'
import { loadConfig } from '../config/load.ts'
import { chooseConfig } from './config-choice.ts'
import { addWhodunit, newApp } from './stacks.ts'

const say = (text: string) => process.stderr.write(`${text}\n`)

const app = newApp()
const choice = chooseConfig(app.node.tryGetContext('config'), existsSync)
const loaded = await loadConfig(choice.path, { readFile: readConfigFile, nowMs: () => Date.now() })
for (const issue of loaded.ok ? loaded.warnings : loaded.issues) say(issueText(issue, loaded.source))

if (!loaded.ok) {
  say(`No stack is made from ${choice.path}. Name a config with: cdk synth -c config=PATH`)
  process.exit(2)
}
const { hub, locations } = addWhodunit(app, { config: loaded.config, root: join(import.meta.dirname, '..') })
if (locations.length === 0) {
  say(`${choice.path} has no location on AWS. Set locations: [eu-west-1, …], or name another config: -c config=PATH`)
  process.exit(2)
}
if (choice.example) {
  const text = `This is the example, ${choice.path}. Name your own config with -c config=PATH`
  Annotations.of(hub).addWarningV2('whodunit:example', text)
}
app.synth()
