import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  Architecture,
  type CfnFunction,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
} from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core'
import { Construct } from 'constructs'
import type { Environment } from '../aws/contract.ts'
import type { Config } from '../config/schema.ts'

export type StepFunctionProps = {
  /** The folder with the bundle and its config. */
  bundle: string
  description: string
  aws: Config['aws']
  timeoutSeconds: number
  memoryMb?: number
  environment: Partial<Record<keyof Environment, string>>
  /** May reach what only the config's network can. */
  inNetwork?: boolean
  /** What it sends calls it again, by design and within bounds of its own. */
  inLoop?: boolean
}

/** What the Lambda service does in our name to put a function into a network (AWSLambdaVPCAccessExecutionRole). */
const networkActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
]

/** With `-c emulated=true`: the emulator asks for a batch by its own name, and reads several parameters from anywhere. */
const alsoAsked: Record<string, string[]> = { 'sqs:SendMessage': ['sqs:SendMessageBatch'] }

/** One function of the pipeline: its own role that may write its own log and what it is given, nothing else. */
export class StepFunction extends Construct {
  readonly lambda: LambdaFunction
  readonly #role: Role

  constructor(scope: Construct, id: string, props: StepFunctionProps) {
    super(scope, id)
    const { aws, memoryMb = 512 } = props
    const retention: RetentionDays = aws.logRetentionDays
    const logGroup = new LogGroup(this, 'Logs', { retention, removalPolicy: RemovalPolicy.DESTROY })
    // A role of its own: the default one may write to every log group of the account.
    this.#role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    logGroup.grantWrite(this.#role)
    this.lambda = new LambdaFunction(this, 'Function', {
      description: `whodunit: ${props.description}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(props.bundle),
      role: this.#role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      memorySize: memoryMb,
      timeout: Duration.seconds(props.timeoutSeconds),
      // What is late is told by the next tick or found by the sweep; a run that Lambda repeats by itself helps nobody.
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
      // Lambda drops the 17th call of a chain, which may be the retry that would have reached somebody.
      ...(props.inLoop ? { recursiveLoop: RecursiveLoop.ALLOW } : {}),
      // Half of libuv's threads look up names: two of four, which two names that nobody answers for would hold.
      environment: { ...props.environment, WHODUNIT_NAME: aws.name, UV_THREADPOOL_SIZE: '64' },
    })
    if (props.inNetwork && aws.network) this.#join(aws.network)
  }

  /** Allows actions on resources, given as ARNs; nothing when there are none. */
  allow(actions: readonly string[], resources: readonly string[], conditions?: Record<string, unknown>): void {
    if (resources.length === 0) return
    const emulated = this.node.tryGetContext('emulated') === 'true'
    this.#role.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: [...actions, ...actions.flatMap((action) => (emulated ? (alsoAsked[action] ?? []) : []))],
        resources: emulated && actions.includes('ssm:GetParameters') ? ['*'] : [...resources],
        ...(conditions ? { conditions } : {}),
      }),
    )
  }

  #join({ subnets, securityGroups }: NonNullable<Config['aws']['network']>) {
    // `as`: the L1 below a function is always a CfnFunction.
    const resource = this.lambda.node.defaultChild as CfnFunction
    resource.vpcConfig = { subnetIds: subnets, securityGroupIds: securityGroups }
    this.allow(networkActions, ['*'])
    const reason = 'network interfaces have no name before Lambda makes them'
    Validations.of(this).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason })
  }
}
