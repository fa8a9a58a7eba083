import {
  DeduplicationScope,
  FifoThroughputLimit,
  type IQueue,
  Queue,
  QueueEncryption,
  type QueueProps,
} from 'aws-cdk-lib/aws-sqs'
import { Duration } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'

/** Three tries for a FIFO queue, where a message holds up its group; more where it holds up nobody. */
const receives = { fifo: 3, standard: 5 }

/** A queue and where its messages go that could not be worked on. Encrypted, TLS only. */
export class QueueWithDead extends Construct {
  readonly queue: Queue
  readonly dead: IQueue

  constructor(scope: Construct, id: string, props: { fifo?: boolean; queueName?: string; visibilitySeconds: number }) {
    super(scope, id)
    const fifo = props.fifo ?? false
    const both: QueueProps = {
      ...(fifo ? { fifo } : {}),
      enforceSSL: true,
      encryption: QueueEncryption.SQS_MANAGED,
    }
    const dead = new Queue(this, 'Dead', { ...both, retentionPeriod: Duration.days(14) })
    this.dead = dead
    this.queue = new Queue(this, 'Queue', {
      ...both,
      ...(props.queueName === undefined ? {} : { queueName: props.queueName }),
      ...(fifo && {
        deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
        fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      }),
      visibilityTimeout: Duration.seconds(props.visibilitySeconds),
      // Also what is worth nothing after a minute: one that is gone before its last receive is never a dead letter.
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: dead, maxReceiveCount: fifo ? receives.fifo : receives.standard },
    })
  }
}
