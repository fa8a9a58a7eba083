import type { ConfigPath, Finding } from './issues.ts'

/** What could not be read at all: whatever the schema says about it is said already. */
const unread = new Set(['unknown-anchor', 'alias-loop', 'yaml-key'])

const startsWith = (path: ConfigPath, start: ConfigPath) => start.every((part, index) => path[index] === part)

/** Findings about the data, without those that only repeat that the text under them could not be read. */
export const withoutEchoes = (text: readonly Finding[], findings: readonly Finding[]): Finding[] =>
  findings.filter(
    ({ code, path }) =>
      !text.some((wrong) => {
        if (unread.has(wrong.code)) return startsWith(path, wrong.path)
        // What is missing may be what the merge would have brought.
        const merged = wrong.code === 'merge-key' && code.startsWith('missing-')
        return merged && path.length === wrong.path.length + 1 && startsWith(path, wrong.path)
      }),
  )
