import { type Provider, provider, type Received, type Reply } from './providers.ts'

// The SDK looks for credentials in the environment first; these are AWS' own example values.
process.env['AWS_ACCESS_KEY_ID'] = 'AKIAIOSFODNN7EXAMPLE'
process.env['AWS_SECRET_ACCESS_KEY'] = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
delete process.env['AWS_SESSION_TOKEN']
delete process.env['AWS_PROFILE']

export const accountSecret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/'

/** An error as SNS writes it. */
export const snsError = (status: number, code: string, message = 'because'): Reply => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`,
})

const success: Reply = {
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body: `<PublishResponse xmlns="${namespace}"><PublishResult><MessageId>m-1</MessageId></PublishResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>`,
}

/** What a Publish says, from the query protocol. */
export const published = ({ body }: Received): Record<string, string> => {
  const fields = Object.fromEntries(new URLSearchParams(body))
  const names = Object.keys(fields).filter((key) => /^MessageAttributes\.entry\.\d+\.Name$/.test(key))
  const attributes = names.map((key) => [`@${fields[key]}`, fields[key.replace('Name', 'Value.StringValue')] ?? ''])
  const plain = Object.entries(fields).filter(([key]) => !key.startsWith('MessageAttributes.'))
  return Object.fromEntries([...plain, ...attributes])
}

/** The rules of the SNS API reference for Publish: the first one that is broken, if any. */
const broken = (request: Received): string | undefined => {
  const { Action, Version, TopicArn, Subject, Message, ...rest } = published(request)
  const id = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/
  const fifo = TopicArn?.endsWith('.fifo') ?? false
  const rules: Record<string, boolean> = {
    action: Action === 'Publish' && Version === '2010-03-31',
    authorization: /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\//.test(request.headers.authorization ?? ''),
    subject: /^[A-Za-z0-9!-/:-@[-`{-~][\x20-\x7e]{0,98}$/.test(Subject ?? ''),
    message: Message !== undefined && Message !== '' && Buffer.byteLength(request.body) <= 262_144,
    characters: !/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(JSON.stringify(rest) + Message),
    attributes: Object.entries(rest).every(([key, value]) => !key.startsWith('@') || value !== ''),
    fifo: fifo === id.test(rest['MessageGroupId'] ?? '') && fifo === id.test(rest['MessageDeduplicationId'] ?? ''),
    structure: rest['MessageStructure'] !== 'json' || typeof JSON.parse(Message ?? '{}').default === 'string',
  }
  return Object.keys(rules).find((rule) => !rules[rule])
}

/** SNS on loopback: it accepts what SNS accepts, unless `reply` has another answer. */
export const snsProvider = (reply: (attempt: number) => Reply | undefined = () => undefined): Promise<Provider> =>
  provider((request, attempt) => {
    const rule = broken(request)
    if (rule !== undefined) return snsError(400, 'InvalidParameter', `Invalid parameter: ${rule}`)
    return reply(attempt) ?? success
  })
