/** Entries in words. */
import { countDoubtful } from '../documents/lines'
import type { Entry } from '../documents/types'
import { locale } from '../i18n'
import { language } from '../settings/settings'
import { explained } from '../understand/problems'
import type { Row } from './rows'
import { t } from './words'

export function stateOf(entry: Entry): string {
  if (entry.problem && entry.state === 'failed') return explained(entry.problem, language.value).title
  switch (entry.state) {
    case 'waiting':
      return t('waiting')
    case 'reading':
      return entry.preview ? t('refining') : t('preparing')
    case 'job':
      return jobOf(entry)
    case 'cancelled':
      return t('cancelled')
    default:
      return entry.problem ? t('partly') : pagesOf(entry)
  }
}

/** What is left to do with an entry that was read; empty where nothing is. */
export function leftOf(entry: Entry): string {
  const count = entry.state === 'done' ? countDoubtful(entry) : 0
  return count > 0 ? t('toCheck', { count }) : ''
}

function jobOf(entry: Entry): string {
  if (entry.jobId === null) return t('sending')
  const progress = entry.progress
  if (!progress) return t('queued')
  const { done, total } = progress
  if (total !== null) return t('pages', { done, total })
  return done > 0 ? t('pagesOpen', { done }) : t('queued')
}

function pagesOf(entry: Entry): string {
  const count = entry.document?.pages.length ?? 0
  return count === 1 ? t('donePage') : t('donePages', { count })
}

/** "1.4 MB", as the language writes it. */
export function sizeOf(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = bytes < 1_000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3))
  return new Intl.NumberFormat(locale.value, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step < 2 ? 0 : 1,
  }).format(bytes / 1_000 ** step)
}

/** The time of today, the day before. */
export function whenOf(row: Row): string {
  const then = new Date(row.usedAt)
  const today = then.toDateString() === new Date().toDateString()
  const form: Intl.DateTimeFormatOptions = today
    ? { hour: '2-digit', minute: '2-digit' }
    : { month: 'short', day: 'numeric' }
  return new Intl.DateTimeFormat(locale.value, form).format(then)
}

export function isFinished(state: Entry['state']): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled'
}
