import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { sloReportPage } from '../../cli/commands/slo-page.ts'
import type { SloReport } from '../../cli/commands/slo-report.ts'
import { type Browser, chromiumPath, startChromium } from './chromium.ts'
import { nowMs, sampleReports } from './slo-sample.ts'
import { survey } from './survey.ts'

const browserTest = chromiumPath ? test : test.skip

const folder = mkdtempSync(join(tmpdir(), 'whodunit-slo-page-'))
const file = join(folder, 'report.html')
const url = pathToFileURL(file).href
let browser: Browser | undefined
let reports: SloReport[] = []

beforeAll(async () => {
  reports = await sampleReports()
  writeFileSync(file, sloReportPage(reports, { title: 'Shop', nowMs }))
  if (chromiumPath) browser = await startChromium(chromiumPath)
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true })
})

const looks = [390, 1280].flatMap((width) => [false, true].map((dark) => ({ width, dark })))

browserTest.each(looks)('the page fits %j, reads well and needs no script', async (at) => {
  const seen = await browser?.look({ url, ...at }, survey)
  expect(seen).toMatchObject({ sticksOut: 0, lang: 'en', titled: true, mains: 1, h1s: 1, headless: 0, scripts: 0 })
  expect(Number(Object(seen).worstContrast)).toBeGreaterThanOrEqual(4.5)
})

/** Words of the charts in pixels as they are seen, and whether a label leaves the page or lies on another. */
const labels = `[...document.querySelectorAll('.chart')].map((chart) => {
  const boxes = [...chart.querySelectorAll('span')].map((one) => one.getBoundingClientRect())
  const crosses = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
  return {
    smallest: Math.min(...[...chart.querySelectorAll('span')].map((one) => parseFloat(getComputedStyle(one).fontSize))),
    outside: boxes.filter(({ left, right }) => left < 0 || right > document.documentElement.clientWidth).length,
    crossing: boxes.filter((a, nth) => boxes.some((b, other) => other > nth && crosses(a, b))).length,
    drawn: chart.querySelector('.line').getBoundingClientRect().width,
  }
})`

browserTest.each(looks)('the words of its charts can be read on %j', async (at) => {
  const seen = await browser?.look({ url, ...at }, labels)
  expect(seen).toHaveLength(reports.filter(({ burnDown }) => burnDown.length > 0).length)
  for (const chart of Object.values(Object(seen))) {
    expect(chart).toMatchObject({ outside: 0, crossing: 0 })
    expect(Number(Object(chart).smallest)).toBeGreaterThanOrEqual(12)
    expect(Number(Object(chart).drawn)).toBeGreaterThan(200)
  }
})

const texts = `Object.fromEntries([...document.querySelectorAll('section')].map((one) => [one.id, one.innerText]))`

browserTest('its numbers are those of --json', async () => {
  const seen: Record<string, string> = Object(await browser?.look({ url, width: 390, dark: false }, texts))
  expect(Object.keys(seen)).toEqual(reports.map(({ rule }) => rule))
  for (const report of JSON.parse(JSON.stringify(reports)) as SloReport[]) {
    const said = (seen[report.rule] ?? '').replaceAll('\u00a0', ' ').replaceAll(/\s+/g, ' ')
    const numbers = [...said.replaceAll(',', '').matchAll(/\d+(?:\.\d+)?/g)].map(([text]) => Number(text))
    const { good, bad, unknown, objectivePercent, achievedPercent, latency, spentRatio, alerts } = report
    const left = Math.abs(1 - spentRatio) * 100
    expect(numbers).toEqual(expect.arrayContaining([good + bad, bad, unknown, objectivePercent]))
    if (achievedPercent !== undefined) {
      expect(numbers).toContain(Number(achievedPercent.toFixed(3)))
      expect(numbers).toContain(Number(left.toFixed(1)))
    }
    for (const ms of latency ? [latency.p50Ms, latency.p95Ms, latency.p99Ms] : []) {
      expect(said).toContain(ms < 1000 ? `${ms} ms` : `${ms / 1000} s`)
    }
    for (const { summary, incidentId } of alerts) expect(said).toContain(`${summary} ${incidentId}`)
    expect(said).toContain(alerts.length > 0 ? 'Alerts that fired' : 'No alert of it fired')
  }
})
