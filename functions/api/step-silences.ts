/**
 * Reads the silences, the incidents and the row that would bring this one; decides whether it may be; writes that row,
 * for `correlate`, which alone changes silences.
 * Run twice: a silence's id follows from what was asked, and its row from its id.
 */
import { hintForName } from '../../config/suggest.ts'
import type { Store } from '../../stores/contract.ts'
import type { Answer, EndAnswer, ListedSilence, Refusal, SilenceAnswer, SilenceBody } from '../api-contract.ts'
import { keys, type OutboxRow, type SilenceRequest, silenceRequest } from '../contract.ts'
import { isOfWindow, type Silence, silences } from '../hub-state.ts'
import { recentIncidents } from '../incidents.ts'
import { silenceId } from '../silence-id.ts'
import { briefOf, endSilenceRow, hiddenBy, refuseSilence, silenceRow, silenceRowId, wishOf } from './silences.ts'
import { type ApiWorld, findIncident, nudgeCorrelate } from './step.ts'

const findSilences = async (store: Store): Promise<Silence[]> => {
  const item = (await store.read([keys.silences])).get(keys.silences)
  return item ? silences.parse(item.value).silences : []
}

const asAsked = (silence: SilenceRequest): ListedSilence => ({ ...silence, hid: [], hidCount: 0, state: 'asked' })

/** Those in force and those to come. */
export const listSilences = async ({ store, nowMs }: Pick<ApiWorld, 'store' | 'nowMs'>): Promise<ListedSilence[]> => {
  const kept = await findSilences(store)
  return kept.map((one) => ({ ...one, state: one.startsAtMs > nowMs() ? 'to-come' : 'in-force' }))
}

const rowsLooked = 100

/** Those asked for that `correlate` has not seen yet: with no hub at work, all there are. */
export const askedSilences = async ({ store, nowMs }: Pick<ApiWorld, 'store' | 'nowMs'>): Promise<ListedSilence[]> => {
  const rows = await store.due(nowMs(), rowsLooked)
  return rows.flatMap(({ row: { to, body } }) =>
    to === 'correlate' && body.kind === 'silence' ? [asAsked(body.silence)] : [],
  )
}

/** One that was asked for a moment ago. */
const askedSilence = async (store: Store, id: string): Promise<ListedSilence | undefined> => {
  const body = silenceRequest.shape.id.safeParse(id).success ? (await store.row(silenceRowId(id)))?.row.body : undefined
  return body && 'kind' in body && body.kind === 'silence' ? asAsked(body.silence) : undefined
}

/** Writes a row unless it is there: somebody who asked for the very same was quicker. */
const ask = async (world: ApiWorld, row: OutboxRow): Promise<void> => {
  await world.store.commit([], [{ id: row.id, expect: 0, row }])
  await nudgeCorrelate(world, row.id)
}

/** There is no such incident; the nearest one that there is. */
export const suggestIncident = async (store: Store, id: string): Promise<Refusal> => {
  const ids = (await recentIncidents(store)).map((one) => one.id)
  return { code: 'unknown-incident', message: `there is no incident ${id}`, hint: hintForName(id, ids, 'incidents') }
}

const refuseIncident = async (store: Store, id: string): Promise<Refusal | undefined> => {
  const incident = await findIncident(store, id)
  if (!incident) return suggestIncident(store, id)
  if (incident.status !== 'resolved') return undefined
  return {
    code: 'incident-over',
    message: `incident ${id} is over: a silence cannot end with it`,
    hint: 'leave the incident out, or name the one that is open',
  }
}

/** Asks for a silence. Answers what it keeps quiet as things stand. */
export const silenceStep =
  (world: ApiWorld) =>
  async (body: SilenceBody): Promise<Answer<SilenceAnswer>> => {
    const { store, nowMs } = world
    const wish = wishOf(body, nowMs())
    const silence = { id: silenceId(wish), ...wish }
    const row = await store.row(silenceRowId(silence.id))
    const known = await findSilences(store)
    const isKnown = row !== undefined || known.some(({ id }) => id === silence.id)
    const refusal =
      refuseSilence(wish, { silences: isKnown ? [] : known, nowMs: nowMs() }) ??
      (body.incidentId === undefined ? undefined : await refuseIncident(store, body.incidentId))
    if (refusal) return { ok: false, refusal }
    if (!isKnown) await ask(world, silenceRow(silence, nowMs()))
    const hides = silence.startsAtMs > nowMs() ? [] : hiddenBy(silence.matchers, await recentIncidents(store))
    return { ok: true, answer: { silence, hides: hides.map(briefOf) } }
  }

/** Asks for the end of a silence. */
export const endSilenceStep =
  (world: ApiWorld) =>
  async ({ id, by }: { id: string; by: string }): Promise<Answer<EndAnswer>> => {
    // The row first: `correlate` deletes it in the transaction that keeps its silence.
    const asked = await askedSilence(world.store, id)
    const known = await listSilences(world)
    const silence = known.find((one) => one.id === id) ?? asked
    if (!silence) {
      const ids = known.map((one) => one.id)
      const hint = hintForName(id, ids, 'silences')
      return { ok: false, refusal: { code: 'unknown-silence', message: `there is no silence ${id}`, hint } }
    }
    if (isOfWindow(silence)) {
      const message = `${id} is a maintenance window, which lasts as long as the config says`
      const hint = 'shorten the window in the config, or remove it'
      return { ok: false, refusal: { code: 'maintenance-window', message, hint } }
    }
    await ask(world, endSilenceRow(id, by, world.nowMs()))
    return { ok: true, answer: { silence } }
  }
