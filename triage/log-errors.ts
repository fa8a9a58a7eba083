/** How bad a line is. `crash` is the end of the program; a line that says nothing of the kind is undefined. */
export type Gravity = 'crash' | 'error'

/** The level a line gives itself: JSON or logfmt `level=`, klog's `E1123 …`, `[ERROR]` or `ERROR` at its start. */
const statedLevel = (line: string): string | undefined => {
  const keyed = /["']?\b(?:level|lvl|severity|loglevel)["']?\s*[=:]\s*["']?([a-z]+)/i.exec(line)?.[1]
  if (keyed !== undefined) return keyed.toLowerCase()
  const klog = /^([IWEF])\d{4} \d\d:\d\d:\d\d/.exec(line)?.[1]
  if (klog !== undefined) return { I: 'info', W: 'warning', E: 'error', F: 'fatal' }[klog]
  return /^[\W\d]{0,40}(?:[TZ][\W\d]{0,12})?\[?(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|PANIC)\b/
    .exec(line.slice(0, 120))?.[1]
    ?.toLowerCase()
}

const harmless = new Set(['trace', 'debug', 'info', 'information', 'notice'])
const grave = new Set(['fatal', 'panic', 'critical', 'crit', 'emerg', 'emergency', 'alert'])
const bad = new Set(['error', 'err'])

/** Words of failure that say there was none; taken out before the rest is read. */
const absences: readonly RegExp[] = [
  /\b(?:no|zero|0|without(?: any)?|never) (?:\w+ )?(?:errors?|failures?|exceptions?|timeouts?|crashes|failed)\b/gi,
  // A key with an empty value; `Error: none of them answered` has more to say.
  /\b(?:\w*error\w*|err|fail(?:ed|ures?|s)?|exceptions?|timeouts?)["']?\s?[=:]+\s?(?:["']?(?:0|<?nil>?|null|none|false)|""|''|\[\]|\{\})(?=["']?\s*(?:$|[,;}\])"']|\s[\w.-]+["']?[=:]))/gi,
  /\b(?:\w*error\w*|err|fail(?:ed|ures?|s)?|exceptions?|timeouts?)=(?=[\s,;}\])]|$)/gi,
  /\b0 (?:errors?|failed|failures?)\b/gi,
  /\b(?:error|failure|timeout)[-_ ]?(?:rate|budget|count|handler|page|log|ratio|s?_total)\b/gi,
  /\b(?:timeout|deadline)s?["']?\s*[=:]\s*["']?\d/gi,
]

const crashWords =
  /\b(?:panic(?:ked)?|fatal|traceback|unhandled|uncaught|out of memory|outofmemory\w*|oom[- ]?kill\w*|segfault|segmentation fault|core dumped|stack overflow|sigsegv|sigabrt)\b/i
const errorWords =
  /\b(?:errors?|err|\w*exception|fail(?:ed|ure|ures|ing)?|critical|refused|unavailable|unreachable|denied|timed[ -]?out|timeout|killed|crash(?:ed|es|ing)?|abort(?:ed|ing)|broken pipe|connection reset|no such host|deadline exceeded|cannot|could not|unable to)\b/i
/** An access log's answer of the server: `"GET / HTTP/1.1" 503`. */
const serverError = /"\s5\d\d(?:\s|$)/

const longest = 4_000

/** Judges one line by what it says of itself first, by its words where it says nothing. */
export const gravityOf = (line: string): Gravity | undefined => {
  const text = line.slice(0, longest)
  const level = statedLevel(text)
  if (level !== undefined && harmless.has(level)) return undefined
  const told = absences.reduce((rest, pattern) => rest.replace(pattern, ' '), text)
  if ((level !== undefined && grave.has(level)) || crashWords.test(told)) return 'crash'
  if ((level !== undefined && bad.has(level)) || errorWords.test(told) || serverError.test(told)) return 'error'
  return undefined
}
