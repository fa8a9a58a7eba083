/** Which config the app deploys, and whether a person named it. */
export type ConfigChoice = { path: string; example: boolean }

export const usual = 'whodunit.yaml'
const example = 'examples/emojivoto/whodunit.yaml'

/** `-c config=PATH`, else the project's own `whodunit.yaml`; only a clone without one shows the example. */
export const chooseConfig = (named: unknown, exists: (path: string) => boolean): ConfigChoice => {
  if (typeof named === 'string' && named !== '') return { path: named, example: false }
  return exists(usual) ? { path: usual, example: false } : { path: example, example: true }
}
