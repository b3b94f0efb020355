/** How sure the lines of a page are: told by colour and by pattern. */
import type { ShownLine } from '../documents/types'
import { gradeOf } from '../text/grades'

/** `yours`: a person wrote it or found it right. */
export type Band = 'sure' | 'unsure' | 'doubtful' | 'yours'

const BANDS = { good: 'sure', fair: 'unsure', poor: 'doubtful', edited: 'yours', checked: 'yours' } as const

export function bandOf(line: ShownLine): Band {
  return BANDS[gradeOf(line)]
}

export function countBands(lines: readonly ShownLine[]): Record<Band, number> {
  const counts: Record<Band, number> = { sure: 0, unsure: 0, doubtful: 0, yours: 0 }
  for (const line of lines) counts[bandOf(line)] += 1
  return counts
}
