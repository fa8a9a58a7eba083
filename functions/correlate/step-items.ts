import type { Store, Stored } from '../../stores/contract.ts'

export type Schema<T> = { parse: (value: unknown) => T; safeParse: (value: unknown) => { data?: T | undefined } }

/** The items read so far, each read and parsed once: its key says of what shape it is. */
export class Items {
  readonly found = new Map<string, Stored>()
  readonly #parsed = new Map<string, unknown>()
  readonly #asked = new Set<string>()
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async read(wanted: readonly string[]): Promise<void> {
    const missing = [...new Set(wanted)].filter((key) => !this.#asked.has(key))
    for (const key of missing) this.#asked.add(key)
    if (missing.length === 0) return
    for (const [key, item] of await this.#store.read(missing)) this.found.set(key, item)
  }

  add(items: ReadonlyMap<string, Stored>): void {
    for (const [key, item] of items) {
      this.#asked.add(key)
      this.found.set(key, item)
    }
  }

  value<T>(key: string, schema: Schema<T>): T | undefined {
    const item = this.found.get(key)
    if (item && !this.#parsed.has(key)) this.#parsed.set(key, schema.parse(item.value))
    return this.#parsed.get(key) as T | undefined // A key has one schema.
  }

  /** Undefined also where the item cannot be read. */
  readable<T>(key: string, schema: Schema<T>): T | undefined {
    const item = this.found.get(key)
    if (item && !this.#parsed.has(key)) {
      const { data } = schema.safeParse(item.value)
      if (data === undefined) return undefined
      this.#parsed.set(key, data)
    }
    return this.value(key, schema)
  }
}
