/** Latitude and longitude in degrees of the city or country an AWS region is named after: near enough to compare. */
const places: Readonly<Record<string, readonly [number, number]>> = {
  'af-south-1': [-33.9, 18.4],
  'ap-east-1': [22.3, 114.2],
  'ap-east-2': [25.0, 121.5],
  'ap-northeast-1': [35.7, 139.7],
  'ap-northeast-2': [37.6, 127.0],
  'ap-northeast-3': [34.7, 135.5],
  'ap-south-1': [19.1, 72.9],
  'ap-south-2': [17.4, 78.5],
  'ap-southeast-1': [1.4, 103.8],
  'ap-southeast-2': [-33.9, 151.2],
  'ap-southeast-3': [-6.2, 106.8],
  'ap-southeast-4': [-37.8, 145.0],
  'ap-southeast-5': [3.1, 101.7],
  'ap-southeast-6': [-36.8, 174.8],
  'ap-southeast-7': [13.8, 100.5],
  'ca-central-1': [45.5, -73.6],
  'ca-west-1': [51.0, -114.1],
  'cn-north-1': [39.9, 116.4],
  'cn-northwest-1': [37.5, 105.2],
  'eu-central-1': [50.1, 8.7],
  'eu-central-2': [47.4, 8.5],
  'eu-north-1': [59.3, 18.1],
  'eu-south-1': [45.5, 9.2],
  'eu-south-2': [41.6, -0.9],
  'eu-west-1': [53.3, -6.3],
  'eu-west-2': [51.5, -0.1],
  'eu-west-3': [48.9, 2.4],
  'il-central-1': [32.1, 34.8],
  'me-central-1': [25.3, 55.3],
  'me-south-1': [26.2, 50.6],
  'mx-central-1': [20.6, -100.4],
  'sa-east-1': [-23.6, -46.6],
  'us-east-1': [39.0, -77.5],
  'us-east-2': [40.0, -83.0],
  'us-gov-east-1': [40.0, -83.0],
  'us-gov-west-1': [45.8, -119.7],
  'us-west-1': [37.4, -121.9],
  'us-west-2': [45.8, -119.7],
}

const earthRadiusKm = 6371
const radians = (degrees: number) => (degrees * Math.PI) / 180

/** Great-circle distance in km by the haversine formula; infinite when either place is unknown. */
export const distanceKm = (from: string, to: string): number => {
  const [a, b] = [places[from], places[to]]
  if (!a || !b) return Number.POSITIVE_INFINITY
  const [latitude, longitude] = [radians(b[0] - a[0]), radians(b[1] - a[1])]
  const cosines = Math.cos(radians(a[0])) * Math.cos(radians(b[0]))
  const half = Math.sin(latitude / 2) ** 2 + cosines * Math.sin(longitude / 2) ** 2
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(half)))
}

/** The `count` most distant of them, the farthest first; what is equally far goes by name. */
export const farthest = (from: string, others: readonly string[], count: number): string[] => {
  const away = others.map((location) => ({ location, km: distanceKm(from, location) }))
  const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  const ordered = away.sort((a, b) => (a.km === b.km ? byName(a.location, b.location) : b.km - a.km))
  return ordered.slice(0, count).map(({ location }) => location)
}
