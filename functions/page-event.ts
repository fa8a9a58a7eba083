import type { DeliveryEvent } from './contract.ts'

/** Does it wake somebody? Such a message must reach a person, and goes elsewhere when it is refused. */
export const isPage = (event: DeliveryEvent): boolean => event === 'opened' || event === 'reopened'

/** A page leaves when its case file is stored or this long after people were to be told, whichever is first. */
export const pageDeadlineMs = 3000
