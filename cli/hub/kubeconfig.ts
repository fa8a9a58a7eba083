import { parse } from 'yaml'

/** A kubeconfig as people have it, in YAML. Throws when it is none; the message may quote it, so it is shown to nobody. */
export const parseKubeconfig = (text: string): unknown => parse(text, { maxAliasCount: 0, logLevel: 'error' })
