const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** `5m`, `36h`, `1h30m`, `2w` in seconds; undefined for what is none. */
export const durationSeconds = (text: string): number | undefined => {
  if (!/^(\d+[smhdw])+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * (units[unit] ?? 0),
    0,
  )
}
