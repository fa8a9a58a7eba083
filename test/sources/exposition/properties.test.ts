import { test } from '@jest/globals'
import fc from 'fast-check'
import { expositionProperty } from '../../conformance/exposition-properties.ts'

/** `npm run conformance -- exposition-fuzz --runs N` runs the same with as many inputs as wanted. */
test('random expositions are read the same however they are cut or filtered, and never hang', () => {
  fc.assert(expositionProperty, { numRuns: 2000 })
})
