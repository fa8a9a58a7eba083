import { expect, test } from '@jest/globals'
import { parseComment } from '../../../sources/exposition/comment-line.ts'

test.each([
  ['# HELP up Is it \\n up? \\\\ \\"', { says: 'help', name: 'up', text: 'Is it \n up? \\ \\"' }],
  ['# HELP up', { says: 'help', name: 'up', text: '' }],
  ['#\tTYPE \t up\tgauge', { says: 'type', name: 'up', type: 'gauge' }],
  ['# TYPE up untyped', { says: 'type', name: 'up', type: 'unknown' }],
  ['# TYPE "my.metric" counter', { says: 'type', name: 'my.metric', type: 'counter' }],
  ['# UNIT up seconds', { says: 'other' }],
  ['# EOF', { says: 'other' }],
  ['#HELP 0', { says: 'other' }],
  ['# TYPED up', { says: 'other' }],
  ['#', { says: 'other' }],
  ['# HELP 0a x', { at: 7, expected: 'a metric name' }],
  ['# HELP a-b x', { at: 8, expected: 'a space and the help after the name' }],
  ['# TYPE up', { at: 9, expected: 'a metric type' }],
  ['# TYPE up gauges', { at: 10, expected: 'a metric type' }],
  ['# TYPE up gauge ', { at: 10, expected: 'a metric type' }],
])('as text, %j says %j', (line, says) => {
  expect(parseComment(line, 'text')).toEqual(says)
})

test.each([
  ['# EOF', { says: 'end' }],
  ['# HELP up Is it \\n up? \\"', { says: 'help', name: 'up', text: 'Is it \n up? "' }],
  ['# HELP up ', { says: 'help', name: 'up', text: '' }],
  ['# TYPE a:b stateset', { says: 'type', name: 'a:b', type: 'stateset' }],
  ['# UNIT up_seconds seconds', { says: 'unit', name: 'up_seconds', unit: 'seconds' }],
  ['# UNIT up ', { says: 'unit', name: 'up', unit: '' }],
  ['# HELP up', { at: 9, expected: 'a space and the help after the name' }],
  ['# HELP up\t', { at: 9, expected: 'a space and the help after the name' }],
  ['# TYPE "" gauge', { at: 9, expected: 'a metric name' }],
  ['# TYPE up untyped', { at: 10, expected: 'a metric type' }],
  ['# UNIT up seconds', { at: 10, expected: 'a unit that ends the name, behind a "_"' }],
  ['# UNIT seconds seconds', { at: 15, expected: 'a unit that ends the name, behind a "_"' }],
  ['# UNIT up_s s ', { at: 12, expected: 'a unit that ends the name, behind a "_"' }],
  ['#  HELP up x', { at: 0, expected: '"# HELP ", "# TYPE ", "# UNIT " or "# EOF"' }],
  ['# EOFs', { at: 0, expected: '"# HELP ", "# TYPE ", "# UNIT " or "# EOF"' }],
  ['# a comment', { at: 0, expected: '"# HELP ", "# TYPE ", "# UNIT " or "# EOF"' }],
])('as OpenMetrics, %j says %j', (line, says) => {
  expect(parseComment(line, 'openmetrics')).toEqual(says)
})
