/** `npm run simulate -- --seeds N [--seed FIRST] [--trace] [--mutant NAME]`: plays towns, and says what went wrong in them. */
import { parseArgs } from 'node:util'
import { awaitTable, awaitTally, neverCrashed } from './awaits.ts'
import { type FaultCounts, noFaults } from './faults.ts'
import { type Complaint, complaintsOf, type Kind } from './invariants.ts'
import { unchanged } from './mutants/mutant.ts'
import { mutants } from './mutants/registry.ts'
import { play } from './play.ts'
import { shortStory, storyOf } from './story.ts'

const usage = 'npm run simulate -- --seeds N [--seed FIRST] [--trace] [--mutant NAME]'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    /** Plays with this bug planted, until it is found. */
    mutant: { type: 'string' },
  },
})
const [seeds, firstSeed] = [Number(values.seeds), Number(values.seed)]
const planted = values.mutant === undefined ? () => unchanged : mutants[values.mutant]?.make
/** So many seeds have been through every await. */
const enoughSeeds = 500
const storiesTold = 3

const print = (lines: readonly string[]) => console.log(lines.join('\n'))

const said = ({ kind, invariant, what }: Complaint) => `  ${kind}: ${what} (${invariant})`

/** The same seed again, this time written down. */
const tellStory = async (seed: number, found: readonly Complaint[]) => {
  const story = storyOf()
  await play(seed, { story, mutant: planted })
  print([`seed ${seed}:`, ...(values.trace ? story.lines : shortStory(story)), ...found.map(said)])
  print([`again: npm run simulate -- --seeds 1 --seed ${seed} --trace`, ''])
}

const addFaults = (total: FaultCounts, counts: FaultCounts) => {
  let sum = 0
  for (const [kind, count] of Object.entries(counts)) {
    total[kind as keyof FaultCounts] += count // Its keys are what it was made of.
    sum += count
  }
  return sum
}

const faultTable = (total: FaultCounts) =>
  Object.entries(total).map(([kind, count]) => `${kind.padEnd(44)} ${String(count).padStart(10)}`)

const run = async (): Promise<boolean> => {
  const tally = awaitTally()
  const faults = noFaults()
  const counts: Record<Kind, number> = { lost: 0, unexpected: 0, stuck: 0 }
  const seen = { incidents: 0, arrivals: 0, fewest: Number.POSITIVE_INFINITY, failed: 0 }
  const [startedAtMs, startedCpu] = [performance.now(), process.cpuUsage()]
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const world = await play(seed, { tally, mutant: planted })
    const found = await complaintsOf(world)
    for (const { kind } of found) counts[kind]++
    seen.arrivals += world.ledger.arrivals.length
    seen.fewest = Math.min(seen.fewest, addFaults(faults, world.faults.counts))
    if (found.length > 0) seen.failed++
    if (values.trace || (found.length > 0 && seen.failed <= storiesTold)) await tellStory(seed, found)
    else if (found.length > 0) print([`seed ${seed}:`, ...found.map(said)])
    if (values.mutant !== undefined && found.length > 0) break
  }
  const seconds = (performance.now() - startedAtMs) / 1000
  const { user, system } = process.cpuUsage(startedCpu)
  const unhurt = neverCrashed(tally)
  const tooFew = seeds >= enoughSeeds ? unhurt : []
  print([...awaitTable(tally), '', ...faultTable(faults), ''])
  print([`messages that arrived: ${seen.arrivals}; fewest faults in a seed: ${seen.fewest}`])
  print([
    `${(seeds / seconds).toFixed(1)} seeds a second, ${((seeds * 1e6) / (user + system)).toFixed(1)} a second of processor time`,
  ])
  if (tooFew.length > 0) print([`nobody ever died at: ${tooFew.join(', ')}`])
  print([`${seeds} seeds, ${counts.lost} lost, ${counts.unexpected} unexpected, ${counts.stuck} stuck`])
  return seen.failed === 0 && tooFew.length === 0
}

if (!planted || !Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(firstSeed) || firstSeed < 0) {
  console.error(usage)
  process.exitCode = 2
} else if (!(await run())) process.exitCode = 1
