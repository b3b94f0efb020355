/** Why a page has no picture, in words of the person's language. */
import { ApiError } from '../api/client'
import { explained } from '../understand/problems'
import type { Problem } from '../documents/types'
import { language } from '../settings/settings'
import { t } from './messages'
import { NoFile } from './pixels'

export type Obstacle =
  { readonly kind: 'gone' | 'locked' | 'undrawn' } | { readonly kind: 'refused'; readonly problem: Problem }

export function obstacleOf(error: unknown): Obstacle {
  if (error instanceof NoFile) return { kind: 'gone' }
  if (error instanceof Error && error.name === 'PasswordException') return { kind: 'locked' }
  if (!(error instanceof ApiError)) return { kind: 'undrawn' }
  return error.problem.code === 'ENCRYPTED_DOCUMENT'
    ? { kind: 'locked' }
    : { kind: 'refused', problem: error.problem }
}

export function wordsOf(obstacle: Obstacle): string {
  if (obstacle.kind !== 'refused') return t(obstacle.kind)
  return t('refused', { reason: explained(obstacle.problem, language.value).title })
}
