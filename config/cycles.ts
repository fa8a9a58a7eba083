type Graph = Readonly<Record<string, { dependsOn: readonly string[] }>>

/** The same cycle from whichever service it is found: turned so that the first name of the alphabet leads. */
const turned = (cycle: readonly string[]): string[] => {
  const least = cycle.indexOf([...cycle].sort()[0] ?? '')
  const ring = [...cycle.slice(least), ...cycle.slice(0, least)]
  return [...ring, ...ring.slice(0, 1)]
}

/**
 * Cycles among services, one for each edge that leads back: `['a', 'b', 'a']`. Depth first without recursion, so a
 * long chain of services costs no stack; every service and dependency is looked at once.
 */
export const dependencyCycles = (services: Graph): string[][] => {
  const done = new Set<string>()
  const found = new Map<string, string[]>()
  for (const start of Object.keys(services)) {
    const trail: { id: string; next: number }[] = done.has(start) ? [] : [{ id: start, next: 0 }]
    const onTrail = new Set(trail.map(({ id }) => id))
    while (trail.length > 0) {
      const top = trail.at(-1)
      if (top === undefined) break
      const child = services[top.id]?.dependsOn[top.next]
      top.next += 1
      if (child === undefined) {
        done.add(top.id)
        onTrail.delete(top.id)
        trail.pop()
      } else if (onTrail.has(child)) {
        const ids = trail.map(({ id }) => id)
        const cycle = turned(ids.slice(ids.indexOf(child)))
        found.set(cycle.join(' '), cycle)
      } else if (Object.hasOwn(services, child) && !done.has(child)) {
        trail.push({ id: child, next: 0 })
        onTrail.add(child)
      }
    }
  }
  return [...found.values()]
}
