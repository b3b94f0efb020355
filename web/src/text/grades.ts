/** How far a line can be relied on, and how that is told. */
import { DOUBTFUL } from '../documents/lines'
import type { ShownLine } from '../documents/types'

export type Grade = 'good' | 'fair' | 'poor' | 'edited' | 'checked'

/** Below this a line is more likely wrong than a doubtful one; the annotated picture has the same bound. */
export const POOR = 0.7

export function gradeOf(line: Pick<ShownLine, 'edited' | 'checked' | 'score'>): Grade {
  if (line.edited) return 'edited'
  if (line.checked) return 'checked'
  return gradeOfScore(line.score)
}

export function gradeOfScore(score: number): 'good' | 'fair' | 'poor' {
  if (score >= DOUBTFUL) return 'good'
  return score >= POOR ? 'fair' : 'poor'
}

/** A share as people read it; never rounded up to a whole that it is not. */
export function percent(score: number, language: string): string {
  const down = Math.floor(score * 1_000) / 1_000
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(down)
}
