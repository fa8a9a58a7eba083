import { wrap } from '../../channels/plain-text.ts'
import { measured } from '../../cost/measured.ts'
import { units } from '../../cost/prices.ts'
import type { CostReport, Target } from '../../cost/report.ts'
import { monitorsPerService } from '../../cost/scenes.ts'
import { amount, counted, dollars, priceEach } from '../../cost/words.ts'

/** Columns of a terminal; nothing wraps without it. */
type Screen = { columns: number | undefined }

const paragraph = (text: string, { columns }: Screen, at: { first?: string; rest?: string } = {}): string[] =>
  wrap(text, { width: columns ?? Number.POSITIVE_INFINITY, first: at.first ?? '', rest: at.rest ?? at.first ?? '' })

const item = (text: string, screen: Screen) => paragraph(text, screen, { first: '  - ', rest: '    ' })

const percent = (share: number) => `${Math.round(share * 100)} %`

/** `probe, its waiting included: 38,490 GB-s at $13.33 a million` */
const lineText = ({ what, unit, quantity, usd }: CostReport['lines'][number]): string =>
  `${what}: ${amount(quantity)} ${units[unit].says} at ${priceEach(usd / quantity)}`

/** Lines below this part of the bill are added up. */
const worthSaying = 0.005

const serviceText = (report: CostReport, service: string, screen: Screen): string[] => {
  const lines = report.lines.filter((line) => line.service === service)
  const said = lines.filter(({ usd }, index) => index === 0 || usd >= report.usd * worthSaying)
  const rest = lines.slice(said.length).reduce((sum, { usd }) => sum + usd, 0)
  const money = (usd: number) => dollars(usd).padStart(12)
  const row = (usd: number, text: string) => paragraph(text, screen, { first: `${money(usd)}  `, rest: ' '.repeat(14) })
  return [
    `${service}  ${dollars(report.byService[service] ?? 0)}`,
    ...said.flatMap((line) => row(line.usd, lineText(line))),
    ...(rest > 0 ? row(rest, `${counted(lines.length - said.length, 'smaller thing')}`) : []),
  ]
}

const headText = (report: CostReport, screen: Screen): string[] => {
  const { deployment, usd, usdAfterAlwaysFree, dominant, onceAMinuteSavesUsd, pricesAsOf, measuredAsOf } = report
  const { monitors, locations, hubRegion, shards, checks } = deployment
  const savings = [
    { what: 'Looking', usd: onceAMinuteSavesUsd.looks },
    { what: 'Scraping', usd: onceAMinuteSavesUsd.scrapes },
  ]
  const where = locations.length === 0 ? 'nowhere on AWS' : locations.join(', ')
  return [
    ...paragraph(
      `${dollars(usd)} a month: ${counted(monitors, 'monitor')} from ${where} (${counted(checks, 'check')}), the hub in ${hubRegion}, ${counted(shards, 'shard')}.`,
      screen,
    ),
    ...paragraph(
      `${dollars(usdAfterAlwaysFree)} where nothing else in the account uses AWS’ always-free amounts; they are taken off nowhere else here unless it says so.`,
      screen,
    ),
    ...paragraph(
      `List prices of ${pricesAsOf}, a month of 730 hours in which nothing fails; use per tick as of ${measuredAsOf} (${measured.how}).`,
      screen,
    ),
    ...(dominant
      ? paragraph(
          `${dominant.service} dominates with ${percent(dominant.share)} of it, most of that ${dominant.what}.`,
          screen,
        )
      : []),
    ...savings.flatMap(({ what, usd: saved }) =>
      saved > 0
        ? paragraph(
            `${what} once a minute instead of more often would save ${dollars(saved)}: in between, the function waits and is paid.`,
            screen,
          )
        : [],
    ),
    ...report.notes.flatMap((note) => paragraph(`Note: ${note}.`, screen)),
  ]
}

const targetText = ({ what, targetUsd, usd, met, usdAfterAlwaysFree, because }: Target): string => {
  const free =
    usdAfterAlwaysFree === undefined ? '' : ` (${dollars(usdAfterAlwaysFree)} after AWS’ always-free amounts)`
  const verdict = met ? 'met' : `missed by ${dollars(usd - targetUsd)}`
  const why = because ? `, of it ${because.map((one) => `${one.what} ${dollars(one.usd)}`).join(', ')}` : ''
  return `${what}: ${dollars(usd)}${free}, at most ${dollars(targetUsd)} wanted: ${verdict}${why}`
}

const checkText = (report: CostReport, screen: Screen): string[] => {
  const { usd, oneShardUsd, oneShardUsdAfterAlwaysFree, nextShardUsd } = report.perCheckRegion
  return [
    ...paragraph('A one-minute HTTP monitor from one region, a month, at 250 a shard', screen),
    ...item(`${dollars(usd)} in 1,000 monitors from three regions, everything included`, screen),
    ...item(
      `${dollars(oneShardUsd)} in 250 monitors from one region, which carry a whole hub (${dollars(oneShardUsdAfterAlwaysFree)} after AWS’ always-free amounts)`,
      screen,
    ),
    ...item(`${dollars(nextShardUsd)} in the next 250 beside them`, screen),
    ...item(`besides ${dollars(report.perServiceMonthUsd)} for each service, its two CloudWatch metrics`, screen),
  ]
}

/** A table, where it fits; else a line a row. */
const totalsText = ({ totals }: CostReport, screen: Screen): string[] => {
  const title = `One-minute HTTP monitors from 3 regions, ${monitorsPerService} to a service, the hub included`
  const head = ['monitors', 'services', 'shards', 'USD', 'services’ metrics', 'after always-free']
  const rows = totals.map((total) => [
    amount(total.monitors),
    amount(total.services),
    amount(total.shards),
    dollars(total.usd),
    dollars(total.serviceMetricsUsd),
    dollars(total.usdAfterAlwaysFree),
  ])
  const widths = head.map((one, at) => Math.max(one.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]) => `  ${cells.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ')}`
  const table = [line(head), ...rows.map(line)]
  if (table.every((row) => row.length <= (screen.columns ?? row.length))) return [...paragraph(title, screen), ...table]
  return [
    ...paragraph(title, screen),
    ...totals.flatMap((total) =>
      item(
        `${counted(total.monitors, 'monitor')}: ${dollars(total.usd)}, services’ metrics ${dollars(total.serviceMetricsUsd)} of it`,
        screen,
      ),
    ),
  ]
}

const peersText = ({ peers, deployment, usd }: CostReport, screen: Screen): string[] => [
  ...paragraph(`The same ${amount(deployment.runs)} looks a month elsewhere (here ${dollars(usd)})`, screen),
  ...peers.flatMap((peer) =>
    item(
      `${peer.name}: ${dollars(peer.usd)}, ${peer.times >= 10 ? amount(Math.round(peer.times)) : peer.times.toFixed(1)} times as much, ${peer.besides}`,
      screen,
    ),
  ),
]

/** What `cost` prints for people. */
export const costText = (report: CostReport, screen: Screen): string =>
  [
    ...headText(report, screen),
    '',
    ...Object.keys(report.byService).flatMap((service) => serviceText(report, service, screen)),
    '',
    ...checkText(report, screen),
    '',
    ...totalsText(report, screen),
    '',
    ...peersText(report, screen),
    '',
    'What we set out to keep',
    ...report.targets.flatMap((target) => item(targetText(target), screen)),
    '',
    'Not counted',
    ...report.notCounted.flatMap((what) => item(what, screen)),
    '',
  ].join('\n')
