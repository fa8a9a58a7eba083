/** What happened when, printed as it happens: the proof that a case ran through. */
export const timeline = (print: (text: string) => void) => {
  const startMs = Date.now()
  const at = (atMs: number) => `${((atMs - startMs) / 1000).toFixed(1).padStart(7)} s`
  return {
    note: (what: string, atMs = Date.now()) => print(`${at(atMs)}  ${what}`),
    /** Indented, as somebody would read it on a screen. */
    quote: (text: string) => print(text.replaceAll(/^/gm, '           | ')),
  }
}
export type Timeline = ReturnType<typeof timeline>

/** Looks until something is there; says what was waited for when it never comes. */
export const until = async <T>(
  what: string,
  look: () => Promise<T | undefined>,
  options: { seconds: number; everyMs?: number },
): Promise<T> => {
  const untilMs = Date.now() + options.seconds * 1000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > untilMs) throw new Error(`waited ${options.seconds} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 200))
  }
}
