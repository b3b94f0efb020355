/** How far a document is, in words; nothing once it has been read. */
import type { Entry } from '../documents/types'
import { t } from './text'

export function progressOf(entry: Pick<Entry, 'state' | 'progress'>): string {
  switch (entry.state) {
    case 'done':
      return ''
    case 'reading':
    case 'job':
      return entry.progress?.total
        ? t('readingPages', { done: entry.progress.done, total: entry.progress.total })
        : t('reading')
    default:
      return t(entry.state)
  }
}

/** Title of the tab: what is worth seeing from another one comes first. */
export function titleOf(entry: Pick<Entry, 'name' | 'state' | 'progress'> | null): string {
  if (!entry) return 'shizi 识字'
  const { progress } = entry
  const far =
    progress?.total && entry.state === 'job'
      ? `${Math.floor((progress.done / progress.total) * 100)} % · `
      : ''
  const state = far || (entry.state === 'done' ? '' : `${progressOf(entry)} · `)
  return `${state}${entry.name} – shizi`
}
