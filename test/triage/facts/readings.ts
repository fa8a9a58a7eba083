import { existsSync, readFileSync } from 'node:fs'
import { test } from '@jest/globals'
import type { Selector } from '../../../sources/contract.ts'
import { scrapeSource, sourceSpec } from '../../../sources/registry.ts'
import { type Series, seriesOf } from '../../../triage/past.ts'
import { nowMs, withServer, world } from '../../sources/loopback.ts'
import { minute, noon, parse, testimonyOf } from '../witness-stand.ts'

const samples = new URL('../../../../shared/fixtures/exposition/', import.meta.url)

/** Needs the recordings. */
export const sharedTest = existsSync(samples) ? test : test.skip

type At = { kind: string; reads: readonly Selector[]; labels?: Record<string, string>; atMs?: number }

/** A recorded exposition, read by the source of that kind as if it were served now. */
export const recorded = (file: string, { kind, reads, labels = {}, atMs = nowMs }: At): Promise<Series> =>
  withServer(
    (_request, response) => response.setHeader('content-type', 'text/plain').end(readFileSync(new URL(file, samples))),
    async ({ url }) => {
      const reading = await scrapeSource(sourceSpec.parse({ kind, url, labels }), world({ nowMs: () => atMs }), reads)
      if (reading?.status !== 'read') throw new Error(reading?.why ?? 'no series')
      return seriesOf({ ...reading.value, before: () => [] })
    },
  )

/** Readings a minute apart, written by hand. */
export const readings = (...texts: readonly string[]): Series =>
  seriesOf(testimonyOf(texts.map((text, index) => ({ atMs: noon + index * minute, samples: parse(text) }))))
