import { writeFileSync } from 'node:fs'
import { referenceText } from '../config/reference.ts'

writeFileSync('docs/reference.md', referenceText())
