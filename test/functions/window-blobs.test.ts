import { expect, test } from '@jest/globals'
import { windowKey, windowSlots } from '../../functions/contract.ts'
import { emptyWindow, remember, type Window } from '../../functions/window.ts'
import { chunkMsFor, loadWindow, saveWindow } from '../../functions/window-blobs.ts'
import { memoryBlobs } from '../../stores/memory.ts'
import { start } from './builders.ts'

const longestMs = 900_000

const play = async (count: number, everyMs: number) => {
  const blobs = memoryBlobs()
  const window = emptyWindow('town')
  let atMs = start
  for (let nth = 0; nth < count; nth++) {
    atMs = start + nth * everyMs
    const targets = [{ target: 't', kind: 'app', complete: true, samples: [{ name: 'a', labels: {}, value: nth }] }]
    remember(window, {
      atMs,
      targets,
      allTargets: () => true,
      longestMs,
      seriesLimit: 1_000_000,
      keepMs: () => longestMs,
    })
    await saveWindow(blobs, window, { longestMs, nowMs: atMs })
  }
  return { blobs, window, atMs }
}
const plain = ({ targets, wholeAtMs }: Window) => ({
  series: [...targets.values()].flatMap(({ series }) => [...series.values()]),
  read: [...targets.values()].map(({ readAtMs }) => readAtMs),
  whole: [...wholeAtMs],
})

test('a cold start finds the window as the process before left it', async () => {
  const { blobs, window, atMs } = await play(70, 30_000)
  const loaded = await loadWindow(blobs, { cluster: 'town', longestMs, nowMs: atMs })
  expect(plain(loaded.window)).toEqual(plain(window))
  expect(loaded.bytes).toBeGreaterThan(100)
})

test('a day of readings uses no more than its slots, and finds none of an earlier round', async () => {
  const { blobs, atMs } = await play(300, 300_000)
  const slots = Array.from({ length: windowSlots + 5 }, (_, slot) => blobs.get(windowKey('town', slot)))
  const there = (await Promise.all(slots)).filter((bytes) => bytes !== undefined)
  expect(there.length).toBe(windowSlots)
  const later = await loadWindow(blobs, { cluster: 'town', longestMs, nowMs: atMs + windowSlots * 300_000 })
  expect(plain(later.window).series).toEqual([])
})

test('chunks of another length, from before somebody looked further back, are read once', async () => {
  const { blobs, window, atMs } = await play(30, 30_000)
  await saveWindow(blobs, window, { longestMs: 86_400_000, nowMs: atMs })
  const { window: loaded } = await loadWindow(blobs, { cluster: 'town', longestMs, nowMs: atMs })
  const [series] = plain(loaded).series
  expect(series?.atMs).toEqual([...new Set(series?.atMs)].sort((a, b) => a - b))
  expect(series?.values).toEqual(series?.atMs.map((time) => (time - start) / 30_000))
  expect(series?.values.at(-1)).toBe(29)
})

test('a chunk nobody can read costs its own span and no more', async () => {
  const { blobs, atMs } = await play(30, 30_000)
  const slot = Math.floor(atMs / 300_000) % windowSlots
  await blobs.put(windowKey('town', slot), new TextEncoder().encode('broken'))
  const { window } = await loadWindow(blobs, { cluster: 'town', longestMs, nowMs: atMs })
  expect(plain(window).series[0]?.values.length).toBeGreaterThan(10)
})

test.each([
  { longestMs: 0, chunkMs: 300_000 },
  { longestMs: 3_600_000, chunkMs: 300_000 },
  { longestMs: 86_400_000, chunkMs: 7_200_000 },
  { longestMs: 86_400_000 * 3, chunkMs: 21_600_000 },
])('a window of $longestMs ms is a ring of chunks of $chunkMs ms', ({ longestMs, chunkMs }) => {
  expect(chunkMsFor(longestMs)).toBe(chunkMs)
})
