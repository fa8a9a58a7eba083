import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Invoked = { code: number; stdout: string; stderr: string; answer: unknown }

/**
 * Invokes a bundle as Lambda does: a bare Node, the bundle's folder, the environment, an event and a context, nothing else.
 * `answer` is what the handler answered.
 */
export const invoke = (
  directory: string,
  { event, env, leftMs = 10_000 }: { event: unknown; env: Record<string, string>; leftMs?: number },
): Promise<Invoked> => {
  const caller = join(directory, 'caller.mjs')
  writeFileSync(
    caller,
    `import { writeSync } from 'node:fs'
const failed = (thrown) => {
  // Not the frame of an uncaught error, which is the whole bundle in one line.
  writeSync(2, String(thrown) + '\\n')
  process.exit(1)
}
process.on('uncaughtException', failed)
const { handler } = await import('./index.mjs')
const [event, leftMs] = JSON.parse(process.argv[2])
const endsAtMs = Date.now() + leftMs
const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => endsAtMs - Date.now() }
const answer = await handler(event, context)
process.stdout.write('\\n' + JSON.stringify({ answer: answer ?? null }) + '\\n', () => process.exit(0))
`,
  )
  const given = {
    PATH: process.env['PATH'] ?? '',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    ...env,
  }
  return new Promise((resolve) => {
    const limits = { cwd: directory, env: given, timeout: 30_000, maxBuffer: 16 * 1024 * 1024 }
    execFile(process.execPath, [caller, JSON.stringify([event, leftMs])], limits, (error, stdout, stderr) => {
      const last = stdout.trimEnd().split('\n').at(-1) ?? ''
      const answer = last.startsWith('{"answer"') ? JSON.parse(last).answer : undefined
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr, answer })
    })
  })
}

/** An event of a queue. */
export const fromQueue = (queue: string, bodies: readonly string[], group?: string) => ({
  Records: bodies.map((body, at) => ({
    messageId: `message-${at}`,
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '1000',
      ...(group === undefined ? {} : { MessageGroupId: group }),
    },
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:eu-west-1:000000000000:${queue}`,
  })),
})
