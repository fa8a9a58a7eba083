import { keys } from '../../functions/contract.ts'
import type { Incident } from '../../functions/hub-state.ts'
import { readHub } from '../../functions/publish/step.ts'
import type { Store } from '../../stores/contract.ts'
import { type CaseFile, caseFile } from '../../triage/contract.ts'
import { span, utc } from '../../web/layout.ts'

export type Listed = { incident: Incident; caseFile?: CaseFile }

/** The incidents a store knows, the newest first. */
export const listIncidents = async (store: Store): Promise<Listed[]> => {
  const { incidents } = await readHub(store)
  const items = await store.read(incidents.map(({ id }) => keys.caseFile(id)))
  return incidents.map((incident) => {
    // One that cannot be read (a newer version wrote it) is as good as none.
    const { data } = caseFile.safeParse(items.get(keys.caseFile(incident.id))?.value)
    return { incident, ...(data ? { caseFile: data } : {}) }
  })
}

const line = ({ incident, caseFile: file }: Listed, nowMs: number): string => {
  const { id, status, severity, sinceMs, resolvedAtMs } = incident
  const lasted = resolvedAtMs === undefined ? `for ${span(nowMs - sinceMs)}` : `lasted ${span(resolvedAtMs - sinceMs)}`
  const what = file?.headline ?? Object.values(incident.alerts)[0]?.summary ?? ''
  return `${id}  ${status}  ${severity}  since ${utc(sinceMs)}, ${lasted}\n    ${what}`
}

/** What `incidents` prints for people. */
export const incidentsText = (listed: readonly Listed[], nowMs: number): string =>
  listed.length === 0 ? 'no incidents\n' : `${listed.map((one) => line(one, nowMs)).join('\n')}\n`
