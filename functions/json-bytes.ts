const encoder = new TextEncoder()

/** What a value takes where it is stored: its JSON in UTF-8, where a character may be six bytes. */
export const jsonBytes = (value: unknown): number => encoder.encode(JSON.stringify(value)).byteLength
