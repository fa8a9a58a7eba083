import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { isInstalled } from './installed.ts'

const startLimitMs = 20_000

/** Debian's packages `prometheus` and `prometheus-node-exporter`. */
export const prometheusIsHere = isInstalled('prometheus') && isInstalled('prometheus-node-exporter')
if (!prometheusIsHere) process.stderr.write('skipped: no prometheus and prometheus-node-exporter (Debian packages)\n')

export type Running = { url: string; stop: () => Promise<void> }

const stopped = async (child: ChildProcess) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5000)
  await exit
  clearTimeout(late)
}

const run = async (binary: string, args: readonly string[], at: { port: number; ready: string }): Promise<Running> => {
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (bytes) => {
    said = `${said}${bytes}`.slice(-1000)
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const stop = async () => {
    process.removeListener('exit', kill)
    await stopped(child)
  }
  const url = `http://127.0.0.1:${at.port}`
  for (const sinceMs = performance.now(); performance.now() - sinceMs < startLimitMs; await wait(50)) {
    const answer = await fetch(`${url}${at.ready}`).catch(() => undefined)
    if (answer?.ok) return { url, stop }
    if (child.exitCode !== null) break
  }
  await stop()
  throw new Error(`${binary} did not start: ${said}`)
}

export const startNodeExporter = async (): Promise<Running> => {
  const port = await freePort()
  return run('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${port}`], { port, ready: '/' })
}

/** A Prometheus with this configuration and these rule files, its data in a folder that goes away with it. */
export const startPrometheus = async (config: object, rules: object): Promise<Running> => {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'whodunit-prometheus-'))
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify(rules))
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify({ ...config, rule_files: ['rules.yml'] }))
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--rules.alert.resend-delay=1s',
  ]
  const running = await run('prometheus', args, { port, ready: '/-/ready' })
  return {
    url: running.url,
    stop: async () => {
      await running.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
