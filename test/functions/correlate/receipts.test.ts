import { describe, expect, test } from '@jest/globals'
import type { CorrelateBody, Receipt } from '../../../functions/contract.ts'
import type { HubDecision, HubView } from '../../../functions/correlate/hub.ts'
import { hubView, start } from '../builders.ts'
import { apply, firing, nothing, orders, over, receipt, sent } from './hub.ts'

const id = 'shop-20261123-060000'
const routed = hubView([{ channels: ['pager'] }])
const view: HubView = { ...routed, grouping: { ...routed.grouping, reopenMs: 300_000 } }
const caseFile: CorrelateBody = { kind: 'case-file', incidentId: id }

/** A hub in which things happen a second apart; orders are answered when somebody says so. */
class Told {
  #hub: HubDecision = nothing
  #afterMs = 0
  readonly #view: HubView

  constructor(at: HubView = view) {
    this.#view = at
  }

  hear(message: CorrelateBody): this {
    this.#afterMs += 1000
    this.#hub = apply(this.#hub, message, { view: this.#view, afterMs: this.#afterMs })
    return this
  }

  answer(order: string, status: Receipt['status'], more: Partial<Receipt> = {}): this {
    return this.hear(
      receipt(
        orders(this.#hub).find((one) => one.id === `${id}:${order}`),
        status,
        more,
      ),
    )
  }

  get said(): string[] {
    return sent(this.#hub).map((line) => line.slice(id.length + 1))
  }
}

const refused = { cause: '500' }
const inDoubt = { ...refused, mayHaveArrived: true }
const back = () => firing({ sinceMs: start + 2000 })

describe('what is over comes back', () => {
  test('and is over again before its first end arrived: one end is enough', () => {
    const told = new Told().hear(firing()).answer('pager:1', 'delivered').hear(over()).hear(back()).hear(over())
    expect(told.answer('pager:2', 'delivered').said).toEqual(['pager:1 opened', 'pager:2 resolved'])
  })

  test('and a channel refuses to hear of it: the next gets a page of its own, the first nothing until the page after', () => {
    const told = new Told().hear(firing()).answer('pager:1', 'delivered').hear(over()).answer('pager:2', 'delivered')
    told.hear(back()).answer('pager:3', 'rejected', refused).answer('chat:1', 'delivered', { withCaseFile: false })
    told.hear(caseFile).hear(over())
    expect(told.said.slice(2)).toEqual(['pager:3 reopened', 'chat:1 opened', 'chat:2 updated'])
    expect(told.answer('chat:2', 'delivered').said.slice(5)).toEqual(['chat:3 resolved'])
  })

  test('and may have been heard where it was refused: its end goes there as well', () => {
    const told = new Told().hear(firing()).answer('pager:1', 'delivered').hear(over()).answer('pager:2', 'delivered')
    told.hear(back()).answer('pager:3', 'rejected', inDoubt).answer('chat:1', 'delivered').hear(over())
    expect(told.said.slice(4).sort()).toEqual(['chat:2 resolved', 'pager:4 resolved'])
  })

  test('and is refused where the end of a page in doubt was told: that end is the last', () => {
    const told = new Told().hear(firing()).answer('pager:1', 'rejected', inDoubt).answer('chat:1', 'delivered')
    told.hear(over()).answer('pager:2', 'delivered').answer('chat:2', 'delivered')
    told.hear(back()).answer('pager:3', 'rejected', refused).answer('chat:3', 'delivered').hear(over())
    expect(told.said.slice(4).sort()).toEqual(['chat:3 reopened', 'chat:4 resolved', 'pager:3 opened'])
  })

  test('but is kept quiet: nobody is told of its case file', () => {
    const silence = { id: 'night', matchers: ['service="shop"'], author: 'lena', reason: 'works on it' }
    const told = new Told().hear(firing()).hear(over())
    told.hear({ kind: 'silence', silence: { ...silence, startsAtMs: start, endsAtMs: start + 60_000 } })
    told.hear(back()).hear(caseFile).answer('pager:1', 'delivered', { withCaseFile: false })
    expect(told.answer('pager:2', 'delivered').said).toEqual(['pager:1 opened', 'pager:2 resolved'])
  })
})

test('an end that is owed in doubt is no page: one that everybody refused is tried again', () => {
  const told = new Told().hear(firing()).hear(over()).answer('pager:1', 'rejected', inDoubt)
  expect(told.said).toEqual(['pager:1 opened', 'pager:2 resolved', 'chat:1 opened'])
  expect(told.answer('chat:1', 'rejected', refused).said.slice(3)).toEqual(['chat:1 opened'])
  const later = told.answer('pager:2', 'delivered').answer('chat:1', 'rejected', refused)
  expect(later.said.slice(4)).toEqual(['chat:1 opened'])
})
