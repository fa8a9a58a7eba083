/** Numbers into growing bytes: whole ones in as few as they need (LEB128), others in eight. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(4096)
  #at = 0

  #room(): void {
    if (this.#at + 16 <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(this.#bytes.length * 2)
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.#room()
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#at++] = rest
  }

  /** A whole number of either sign and at most 2^52; small ones are short. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  float(value: number): void {
    this.#room()
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }
}

/** Reads what {@link ByteWriter} wrote. Throws RangeError at the end of the bytes. */
export class ByteReader {
  readonly #bytes: Buffer
  at = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) throw new RangeError('the bytes end within a number')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  float(): number {
    const value = this.#bytes.readDoubleLE(this.at)
    this.at += 8
    return value
  }
}
