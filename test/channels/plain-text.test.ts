import { expect, test } from '@jest/globals'
import { ascii, columns, duration, isoTime, oneLine, shorten, utcTime, wrap } from '../../channels/plain-text.ts'

test.each([
  { given: 'colours go', text: '\u001b[1;31merror\u001b[0m here', expected: 'error here' },
  { given: 'line ends become spaces', text: ' a\r\nb\n\n\tc ', expected: 'a b c' },
  { given: 'cursor movements are shown', text: 'a\u001b[2Jb', expected: 'a\\x1b[2Jb' },
  { given: 'a window title is shown', text: '\u001b]0;x\u0007', expected: '\\x1b]0;x\\x07' },
  { given: 'a styling that hides another one stays harmless', text: '\u001b[\u001b[31m2J', expected: '\\x1b[2J' },
  { given: 'eight-bit controls are shown', text: 'a\u009b2Jb\u0085', expected: 'a\\x9b2Jb\\x85' },
  { given: 'marks that turn the direction are shown', text: 'a\u202eb', expected: 'a\\u{202e}b' },
  { given: 'invisible tags are shown', text: 'a\u{e0041}b', expected: 'a\\u{e0041}b' },
  { given: 'half a character is replaced', text: 'a\ud800b', expected: 'a\ufffdb' },
  { given: 'emoji of several parts stay whole', text: '👩‍👧 ok', expected: '👩‍👧 ok' },
  { given: 'piled marks are cut', text: `a${'\u0301'.repeat(50)}b`, expected: `a${'\u0301'.repeat(4)}…b` },
])('oneLine: $given', ({ text, expected }) => {
  expect(oneLine(text, 100)).toBe(expected)
})

test.each([
  { given: 'a text that fits', text: 'abcdef', limit: 6, expected: 'abcdef' },
  { given: 'a text that does not', text: 'abcdefg', limit: 6, expected: 'abcde…' },
  { given: 'an emoji at the border', text: 'abc👩‍👧def', limit: 6, expected: 'abc…' },
  { given: 'a megabyte', text: 'x'.repeat(1_000_000), limit: 6, expected: 'xxxxx…' },
  { given: 'a megabyte of spaces', text: `${' '.repeat(1_000_000)}x`, limit: 6, expected: '…' },
])('oneLine never cuts in silence: $given', ({ text, limit, expected }) => {
  expect(oneLine(text, limit)).toBe(expected)
})

test('shorten leaves no half of a surrogate pair', () => {
  expect(shorten('ab🔥🔥', 4)).toBe('ab…')
})

test.each([
  { text: 'abc', expected: 3 },
  { text: '漢字', expected: 4 },
  { text: '🔥', expected: 2 },
  { text: '👩‍👩‍👧', expected: 2 },
  { text: 'e\u0301', expected: 1 },
  { text: 'ø…', expected: 2 },
])('columns of $text are $expected', ({ text, expected }) => {
  expect(columns(text)).toBe(expected)
})

test.each([
  { given: 'words', text: 'the quick brown fox', expected: ['- the quick', '  brown fox'] },
  { given: 'a word wider than the line', text: 'a bcdefghijklmnop q', expected: ['- a', '  bcdefghijk', '  lmnop q'] },
  { given: 'wide characters', text: '漢字漢字漢字', expected: ['- 漢字漢字漢', '  字'] },
  { given: 'nothing', text: '', expected: ['-'] },
])('wrap: $given', ({ text, expected }) => {
  expect(wrap(text, { width: 12, first: '- ', rest: '  ' })).toEqual(expected)
})

test.each([
  { ms: -5000, expected: '0 s' },
  { ms: 42_400, expected: '42 s' },
  { ms: 60_000, expected: '1 min' },
  { ms: 65_000, expected: '1 min 5 s' },
  { ms: 2 * 3_600_000 + 30_000, expected: '2 h' },
  { ms: 2 * 3_600_000 + 600_000, expected: '2 h 10 min' },
  { ms: 97 * 3_600_000, expected: '4 d 1 h' },
])('a duration of $ms ms reads $expected', ({ ms, expected }) => {
  expect(duration(ms)).toBe(expected)
})

test('times are UTC, and a time no calendar knows does not throw', () => {
  expect(utcTime(Date.UTC(2026, 10, 23, 3, 12, 9, 999))).toBe('2026-11-23 03:12:09 UTC')
  expect(isoTime(Number.NaN)).toBe('1970-01-01T00:00:00.000Z')
  expect(isoTime(Number.POSITIVE_INFINITY)).toBe('+275760-09-13T00:00:00.000Z')
})

test('ascii writes out what it can and marks the rest', () => {
  expect(ascii('Zürich – “café”… 🔥')).toBe('Zurich - "cafe"... ?')
})
