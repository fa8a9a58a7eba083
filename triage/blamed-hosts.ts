import type { Placed } from './involved.ts'

const connectionWords =
  /refused|unavailable|unreachable|no such host|timed? ?out|deadline exceeded|connection reset|broken pipe|dial tcp/i

const longest = 2000

/** Words behind which a name by itself is a host. */
const announced = `(?:lookup|host(?:[ _]?name)?|server at|connect(?:ion|ing|ed)? to|dial(?:ing)? tcp|upstream|reach)["'=: ]{1,4}`

/**
 * A workload named as a host within the cluster: by itself, `.namespace` or `.namespace.svc…` behind it, a pod of it
 * before it. Any other dot makes it another's host: `api.stripe.com` is not our `api`, nor is `my.api`.
 */
const hostOf = ({ workload, namespace }: Placed): RegExp => {
  const [name, place] = [workload, namespace].map((text) => text.replaceAll(/[^\w-]/g, '\\$&'))
  const own = String.raw`(?:${name}-\d{1,5}\.)?${name}(?:-svc|-service)?`
  const qualified = String.raw`${own}\.${place}(?:\.svc(?:\.[\w-]{1,63}){0,8})?\.?`
  const host = String.raw`(?:${qualified}|${own}\.?)`
  // What a single slash stands before is a path.
  const start = String.raw`(?<![\w.-])(?<!(?<!/)/)`
  const ending = String.raw`(?=[\s/"',;)\\\]]|$)`
  return new RegExp(
    [
      String.raw`${start}${host}:(?:\d|\s|$)`,
      `${start}${qualified}${ending}`,
      String.raw`//(?:[^\s/@]{1,200}@)?${host}${ending}`,
      String.raw`\b${announced}${host}${ending}`,
    ].join('|'),
  )
}

/** The workloads that a line about a connection names as hosts: `dial tcp: lookup cart-svc: …`. */
export const blamedBy = (line: string, placed: readonly Placed[]): Placed[] => {
  const text = line.slice(0, longest)
  return connectionWords.test(line) ? placed.filter((one) => hostOf(one).test(text)) : []
}
