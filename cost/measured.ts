/**
 * How much one tick takes, each figure with how it was come by. `npm run bench -- aws-scale` measures the write units and
 * sizes.
 */
export const measured = {
  asOf: '2026-11-23',
  how: 'first figures: the real probe and evaluate code over loopback on one machine, 250 monitors, all passing',

  /** Memory of the functions, as deployed. */
  memoryGb: { usual: 0.5, scrape: 1 },
  /** Lambda gives 512 MB this part of a vCPU (a whole one at 1,769 MB). */
  cpuShare: 512 / 1769,

  /** One HTTPS look over a fresh connection: CPU of a whole core (1.8 to 2.1 ms seen). */
  cpuMsPerLook: 2,
  /** What leaves us for one: 600 bytes of TLS and HTTP/1.1 seen, and about 11 segments' TCP/IP headers and ACKs. */
  bytesOutPerLook: 1300,
  /** Assumed of targets, not measured: what most take, and what the slowest of a tick takes. */
  targetMs: { usual: 300, slowest: 1000 },
  looksAtOnce: 100,
  /** Assumed: sending, and what the runtime adds to every call. */
  callMs: 30,

  /** An observation's JSON: 149 KB for 250 passing outcomes with their certificates. */
  message: { fixedBytes: 100, bytesPerOutcome: 600, limitBytes: 200_000, chunkBytes: 65_536 },

  /** `evaluate`, CPU of a whole core: parsing the message, then reading and judging every location's counters. */
  evaluate: { fixedMs: 25, cpuMsPerMonitor: 0.012, cpuMsPerMonitorAndLocation: 0.035 },
  /** A location's item as the store packs it, all well: 4.4 KB for 250 monitors, 5 write units (`bench -- aws-scale`). */
  items: { fixedBytes: 200, bytesPerMonitor: 17.2, ruleBytesPerMonitor: 4 },
  /** A quiet tick writes that item alone and so in no transaction; a consistent read takes a unit every 4 KB. */
  writeUnitBytes: 1024,
  readUnitBytes: 4096,
  /** Absence deadlines wake a shard every five minutes: its row is nudged, deleted and written again, index included. */
  timer: { everySeconds: 300, writes: 12, reads: 6 },

  /** Once a minute in the hub: the pulse through three functions, the sweep over eight parts of its index, the page. */
  pulse: { calls: 3, callMs: 40, writes: 3, reads: 3, fifoSends: 2, standardSends: 1 },
  sweep: { callMs: 60, reads: 4 },
  publish: { callMs: 80, cpuMsPerMonitorAndLocation: 0.012 },
  /** Once a minute in every location: `watch` looks at the hub's three pulses and at what it remembers. */
  watch: { callMs: 60, hubReads: 3, ownReads: 1, bytes: 4000 },
  /** Assumed of a cluster's sources: how long one scrape takes; its lease is taken and given back. */
  scrape: { ms: 1500, writes: 2, reads: 2 },
  /** Assumed: Lambda begins anew so often, and only then reads all chunks of a window back. */
  coldStartsPerDay: 24,

  /** Lambda keeps so many long polls open on an idle queue, 20 s each. At low traffic AWS may go down to two. */
  polls: { atOnce: 5, seconds: 20 },
  /** Queues with a function behind them. Dead-letter queues are not polled. */
  queues: { hubFifo: 2, hubStandard: 3, location: 1 },
  alarms: { hub: 16, location: 4 },
  /** Of our own health: `DueRowAgeMs` and `ScheduleLagMs`. The others cost something only in hours with a trouble. */
  ownMetrics: { hub: 1, location: 1 },
  metricsPerService: 2,
  metricsPerCall: 200,
  /** Lambda's own JSON lines about a call, and ours. */
  logBytesPerCall: 1200,
  /** How much of a log is left when CloudWatch has compressed it (what AWS' calculator assumes). */
  keptLogRatio: 0.15,
} as const
