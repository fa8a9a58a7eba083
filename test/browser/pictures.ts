/** `npm run pictures [FOLDER]`: the pictures in the documents, made anew with this machine's Chromium. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sloReportPage } from '../../cli/commands/slo-page.ts'
import { chromiumPath, startChromium } from './chromium.ts'
import { nowMs, sampleReports } from './slo-sample.ts'

const [folder = 'docs/pictures'] = process.argv.slice(2)
if (!chromiumPath) throw new Error('there is no Chromium on this machine')

const directory = mkdtempSync(join(tmpdir(), 'whodunit-pictures-'))
const file = join(directory, 'slo-report.html')
writeFileSync(file, sloReportPage(await sampleReports(), { title: 'Shop', nowMs }))
const browser = await startChromium(chromiumPath)
mkdirSync(folder, { recursive: true })
const pictures = [
  { name: 'slo-report.png', width: 760, dark: false, height: 850 },
  { name: 'slo-report-phone.png', width: 390, dark: true, height: 850 },
]
for (const { name, height, ...at } of pictures) {
  await browser.look({ url: pathToFileURL(file).href, ...at }, '0')
  const bytes = await browser.picture(height)
  writeFileSync(join(folder, name), bytes)
  console.log(`${join(folder, name)}: ${(bytes.byteLength / 1024).toFixed(0)} KB`)
}
await browser.close()
rmSync(directory, { recursive: true, force: true })
