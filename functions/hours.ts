/** For decisions, which import nothing of `config/` but its types. */
export { isWithin, isWithinAny } from '../config/hours.ts'
