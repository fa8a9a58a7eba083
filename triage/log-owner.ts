import type { Labels } from '../sources/contract.ts'

/** What is behind a workload's name in its pods' names: a hash and five letters, five letters, or an ordinal. */
const podEnding = /^(?:-[a-z0-9]{1,10})?-[a-z0-9]{5}$|^-\d{1,5}$/
/** The same for a workload nobody told us of: the hash of a ReplicaSet holds digits, or is made of Kubernetes' letters. */
const looseEnding =
  /-[a-z0-9]*\d[a-z0-9]*-[a-z0-9]{5}$|(?:-[bcdfghjklmnpqrstvwxz2456789]{8,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}$|-\d{1,5}$/

const podLabels = ['pod', 'k8s_pod_name', 'instance']
const nameLabels = [
  'app_kubernetes_io_name',
  'app.kubernetes.io/name',
  'app',
  'service_name',
  'k8s_deployment_name',
  'container',
]

/** Labels one of which begins with the workload's name, whoever collected the line. */
export const ownerLabels: readonly string[] = [...podLabels, ...nameLabels]

/**
 * Which workload logged a line. The pod's name is the surest: `cart-6d9c7c5b7f-x2x6k` is of `cart` when such a
 * workload is known, the longest name first. Labels people give come after it, a guess from the pod's name last.
 */
export const logOwner = (labels: Labels, known: readonly string[]): { name: string; known: boolean } => {
  const pod = podLabels.map((key) => labels[key]).find(Boolean) ?? ''
  const byPod = known
    .filter((name) => pod.startsWith(name) && podEnding.test(pod.slice(name.length)))
    .sort((a, b) => b.length - a.length)[0]
  if (byPod !== undefined) return { name: byPod, known: true }
  const guess = pod.replace(looseEnding, '')
  const names = nameLabels.flatMap((key) => labels[key] || [])
  // A pod that is clearly another's is not made ours by a label.
  const byLabel = pod === '' || known.includes(guess) ? names.find((name) => known.includes(name)) : undefined
  if (byLabel !== undefined) return { name: byLabel, known: true }
  return { name: guess || names[0] || 'somebody', known: false }
}
