const limit = 500

/** An error in one line. What it carries besides (requests, responses, bodies) stays where it is. */
export const causeOf = (thrown: unknown): string =>
  (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown))
    .replaceAll(/\s+/g, ' ')
    .slice(0, limit)
    .toWellFormed()
