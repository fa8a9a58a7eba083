export type SuiteResult = { passed: number; failures: { name: string; why: string }[] }
