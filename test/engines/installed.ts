import { spawnSync } from 'node:child_process'

/** Is there such a program on this machine? */
export const isInstalled = (binary: string): boolean =>
  spawnSync(binary, ['--version'], { stdio: 'ignore' }).status === 0
