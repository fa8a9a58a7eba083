import type { Service } from '../../config/contract.ts'
import { type Brief, defineQuestion, type Evidence, type Statement, type Suspect, type Witnesses } from '../contract.ts'

const roles = { developers: 'developers', sre: 'SRE' } as const

const reach = (service: string, { owner, runbook }: Service): string | undefined =>
  owner &&
  `${roles[owner.role]}: team ${owner.team} owns ${service}${owner.contact ? `, ${owner.contact}` : ''}${runbook ? `, runbook ${runbook}` : ''}`

const kinds = { workload: '', node: 'node ', certificate: 'the certificate of ', target: '' } as const

/** The owner of the prime suspect; where there is none, of the service the page is about, and it says which. */
const ask = async (brief: Brief, { services }: Witnesses, suspects: readonly Suspect[]): Promise<Statement> => {
  const [prime] = suspects
  const suspected = prime?.service
  const own = services[brief.service]
  const culprit = suspected === undefined ? undefined : services[suspected]
  const told = culprit && suspected !== undefined ? reach(suspected, culprit) : undefined
  const ownTold = own && reach(brief.service, own)
  const ownerless = prime ? `${kinds[prime.accused.kind]}${prime.accused.name} has no owner in the config` : undefined
  const evidence: Evidence[] = [
    ...(prime ? [{ says: `prime suspect: ${prime.headline}` }] : []),
    ...(told === undefined ? [] : [{ says: told }]),
    ...(ownTold === undefined || ownTold === told ? [] : [{ says: ownTold }]),
  ]
  if (told !== undefined) return { verdict: 'ok', headline: told, evidence, clues: [] }
  if (ownTold !== undefined)
    return {
      verdict: prime ? 'suspicious' : 'ok',
      headline: ownerless === undefined ? ownTold : `${ownerless}; ${ownTold}`,
      evidence,
      clues: [],
    }
  const nobody = `unknown: ${ownerless ?? `${brief.service} has no owner in the config`}`
  return { verdict: 'unknown', headline: nobody, evidence, clues: [] }
}

/** Who gets out of bed: the developers or SRE, and how to reach them. */
export const whoseIsIt = defineQuestion({
  id: 'whose-is-it',
  title: 'Whose is it?',
  reads: {},
  remembers: {},
  afterSuspects: true,
  ask,
})
