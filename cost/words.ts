/** So many places that two figures of a small number are left. */
const placesFor = (value: number): number =>
  value === 0 ? 0 : Math.max(2, 1 - Math.floor(Math.log10(Math.abs(value))))

const grouped = (value: number, places: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places })

/** `$1,039`, `$41.62`, `$0.017`, `$0.00042`: an amount that is paid never reads as nothing. */
export const dollars = (usd: number): string => {
  const sign = usd < 0 ? '-' : ''
  const size = Math.abs(usd)
  if (size >= 1000) return `${sign}$${grouped(size, 0)}`
  return `${sign}$${grouped(size, size >= 0.995 || size === 0 ? 2 : Math.min(12, placesFor(size)))}`
}

/** `43,800`, `1.29 million`, `0.57`. */
export const amount = (value: number): string => {
  if (value >= 1_000_000) return `${grouped(value / 1_000_000, 2)} million`
  if (value >= 100 || Number.isInteger(value)) return grouped(Math.round(value), 0)
  return grouped(value, Math.min(12, placesFor(value)))
}

/** As exact as price lists are: up to four figures, at least cents. */
const exact = (usd: number): string => {
  const figures = Number(usd.toPrecision(4))
  const places = Math.max(2, (figures.toFixed(8).replace(/0+$/, '').split('.')[1] ?? '').length)
  return `$${grouped(figures, places)}`
}

/** A price of one, or of a million where one is too cheap to say: `$0.09`, `$0.625 a million`. */
export const priceEach = (usd: number): string => (usd < 0.001 ? `${exact(usd * 1_000_000)} a million` : exact(usd))

/** `1 monitor`, `3 monitors`. */
export const counted = (count: number, one: string): string => `${grouped(count, 0)} ${one}${count === 1 ? '' : 's'}`
