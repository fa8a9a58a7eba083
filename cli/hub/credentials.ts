import type { AwsCredentials } from '../../sources/contract.ts'

/** Whatever AWS role this machine has; loaded by the first cluster of EKS that needs it. */
export const awsCredentials = async (): Promise<AwsCredentials> => {
  const { SNSClient } = await import('@aws-sdk/client-sns')
  // The region is of no account for credentials, but a client must have one.
  return new SNSClient({ region: 'us-east-1' }).config.credentials()
}
