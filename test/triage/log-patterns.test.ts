import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { groupLines, maxLines } from '../../triage/log-patterns.ts'

const loghub = new URL('../../../shared/fixtures/loki/loghub/', import.meta.url)
const sharedTest = existsSync(loghub) ? test : test.skip

/** RFC 4180, as far as these files need it. */
const cells = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  )

const labelled = (name: string): { content: string; event: string }[] => {
  const text = readFileSync(new URL(`${name}_2k.log_structured.csv`, loghub), 'utf8')
  const [header = '', ...rows] = text.split(/\r?\n/).filter((line) => line !== '')
  const columns = cells(header)
  const content = columns.indexOf('Content')
  const event = columns.indexOf('EventId')
  return rows.map((row) => ({ content: cells(row)[content] ?? '', event: cells(row)[event] ?? '' }))
}

/** Grouping accuracy (Zhu et al., 2019): the share of lines whose group is exactly their event's set of lines. */
const groupingAccuracy = (rows: readonly { content: string; event: string }[]): number => {
  const size = new Map<string, number>()
  for (const { event } of rows) size.set(event, (size.get(event) ?? 0) + 1)
  const right = groupLines(rows.map(({ content }) => content)).filter(({ members }) => {
    const events = new Set(members.map((index) => rows[index]?.event))
    return events.size === 1 && size.get([...events][0] ?? '') === members.length
  })
  return right.reduce((sum, { members }) => sum + members.length, 0) / rows.length
}

const accuracies = { Apache: 0.999, HDFS: 0.99, Linux: 0.8, OpenSSH: 0.999, Spark: 0.99, Zookeeper: 0.98 }

sharedTest.each(Object.entries(accuracies))(
  'lines of %s are grouped as people grouped them, at least %d',
  (name, least) => {
    const rows = labelled(name)
    expect(rows).toHaveLength(2000)
    expect(groupingAccuracy(rows)).toBeGreaterThanOrEqual(least)
  },
)

sharedTest('over all six programs the grouping accuracy is above 0.95', () => {
  const scores = Object.keys(accuracies).map((name) => groupingAccuracy(labelled(name)))
  expect(scores.reduce((sum, score) => sum + score, 0) / scores.length).toBeGreaterThan(0.95)
})

test.each([
  ['numbers', 'took 12 ms', 'took 3401 ms'],
  ['times', '2026/11/23 03:41:14 pool is full', '2026-11-23T04:00:00.123Z pool is full'],
  ['addresses', 'dial tcp 10.0.3.7:8080: refused', 'dial tcp 10.0.3.9:9090: refused'],
  ['ids', 'order 0d1c5e2a-7d4b-4c07-9f4e-2f0c2a9b1e11 lost', 'order 7e0c5e2a-1d4b-4c07-9f4e-2f0c2a9b1eff lost'],
  ['hashes', 'bad digest 9fceb02d0ae598e9', 'bad digest 66e0ca77ab3c41d2'],
  ['key values', 'lost session user=anna tenant=acme', 'lost session user=bert tenant=evil'],
  ['addresses of the web', 'cannot get https://a.example/x?y=1', 'cannot get https://b.example/z'],
  ['hosts', 'no such host db.shop.svc', 'no such host cache.shop.svc'],
])('%s are values, not text', (_, one, other) => {
  expect(groupLines([one, other])).toHaveLength(1)
})

test.each([
  ['different messages', 'connection refused', 'connection reset'],
  ['messages of a log format', 'level=error msg="cannot read"', 'level=error msg="cannot write"'],
  ['levels', 'level=error msg=x', 'level=warn msg=x'],
])('%s stay apart', (_, one, other) => {
  expect(groupLines([one, other])).toHaveLength(2)
})

test('a word that differs in many lines is a value', () => {
  const names = ['anna', 'bert', 'carl', 'dora', 'emil', 'fred', 'gina']
  const [group, ...others] = groupLines(names.map((name) => `cannot find the cart of ${name} today`))
  expect(others).toEqual([])
  expect(group?.template).toBe('cannot find the cart of <*> today')
  expect(group?.members).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('the order of the lines changes no group', () => {
  const lines = ['a failed 1', 'b is gone', 'a failed 2', 'c 7 is odd', 'b is gone', 'a failed 3']
  const asText = (given: readonly string[]) =>
    groupLines(given)
      .map(({ template, members }) => `${template} ${members.length}`)
      .sort()
  expect(asText([...lines].reverse())).toEqual(asText(lines))
})

test('more lines than the limit are not looked at, and long or hostile lines end', () => {
  const many = Array.from({ length: maxLines + 50 }, (_, index) => `line ${index}`)
  expect(groupLines(many)[0]?.members).toHaveLength(maxLines)
  const hostile = ['1-', 'a.', 'a=', '1.1.', 'ab:', '(', '://', 'Mon Jan '].map((bit) => bit.repeat(200_000))
  expect(groupLines(hostile).reduce((sum, { members }) => sum + members.length, 0)).toBe(hostile.length)
})

test('no lines make no groups, and an empty line is one of its own', () => {
  expect(groupLines([])).toEqual([])
  expect(groupLines(['', 'x'])).toHaveLength(2)
})
