import { span } from '../../web/layout.ts'
import type { Alerting } from '../alerting.ts'
import { bothTimes, briefLine, type Teller, tellRefusal } from './silence.ts'

/** Takes an incident on: 0 it is on its way, 1 somebody has it or it is over, 2 there is no such incident. */
export const acknowledge = async (
  alerting: Alerting,
  incidentId: string,
  at: { by: string; teller: Teller },
): Promise<number> => {
  const { by, teller } = at
  const result = await alerting.acknowledge(incidentId, by)
  if (!result.ok) return tellRefusal(result.refusal, teller)
  const { status, incident, by: whose, atMs } = result.answer
  const text = {
    pending: `acknowledged as ${by}: ${briefLine(incident)}`,
    acknowledged: `${incidentId} is acknowledged already, by ${whose ?? 'somebody'}${atMs === undefined ? '' : ` since ${bothTimes(atMs, teller.timeZone)} (${span(teller.nowMs - atMs)} ago)`}`,
    resolved: `${incidentId} is over already: there is nothing to acknowledge`,
  }[status]
  teller.print(teller.json ? JSON.stringify(result.answer, null, 2) : text)
  return status === 'pending' ? 0 : 1
}
