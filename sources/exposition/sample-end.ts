const space = 0x20
const closeBrace = 0x7d

/** Bytes that values and timestamps are written with. */
const isNumberByte = new Uint8Array(256)
for (const character of '0123456789.+-eENaInf') isNumberByte[character.charCodeAt(0)] = 1

const beforeNumber = (bytes: Buffer, end: number): number => {
  let at = end - 1
  while (at > 0 && isNumberByte[bytes[at] ?? 0] === 1) at--
  return at
}

/** `…} 1` or `…} 1 1795406393123`, judged from the end of the line alone. What looks otherwise is parsed. */
export const endsLikeSample = (bytes: Buffer, end: number): boolean => {
  const blank = beforeNumber(bytes, end)
  if (blank === end - 1 || bytes[blank] !== space) return false
  if (bytes[blank - 1] === closeBrace) return true
  const earlier = beforeNumber(bytes, blank)
  return bytes[earlier] === space && bytes[earlier - 1] === closeBrace
}
