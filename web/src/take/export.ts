/** A document as a file, made by the server from what was read and what a person changed. */
import { call, own, ApiError } from '../api/client'
import type { Entry, LineEdit } from '../documents/types'
import type { Format } from './formats'

/** Whether there is something to take: what is still being read changes. */
export function isTakeable(entry: Entry): boolean {
  return entry.document !== null && !entry.preview && !['waiting', 'reading', 'job'].includes(entry.state)
}

/** Raises ApiError; its code is PICTURE_GONE where the format needs the file and the browser has it no more. */
export async function exported(entry: Entry, format: Format, signal?: AbortSignal): Promise<Blob> {
  if (format.needsFile && !entry.file) throw new ApiError(own('PICTURE_GONE', entry.name))
  const form = new FormData()
  form.set('format', format.name)
  form.set(
    'document',
    new Blob([JSON.stringify(entry.document)], { type: 'application/json' }),
    'document.json',
  )
  form.set(
    'edits',
    new Blob([JSON.stringify(entry.edits.map(sentOf))], { type: 'application/json' }),
    'edits.json',
  )
  if (format.needsFile && entry.file) {
    if (entry.password !== null) form.set('password', entry.password)
    form.set('file', entry.file, entry.name)
  }
  const answer = await call('v1/export', { method: 'POST', body: form, ...(signal ? { signal } : {}) })
  return answer.blob()
}

/** As the server takes it: the page's own name of an added line means nothing there. */
export function sentOf(edit: LineEdit): object {
  const { page, line, text } = edit
  if (line !== null) return { page, line, text }
  return {
    page,
    line: null,
    after: edit.after ?? 0,
    polygon: edit.polygon ?? [],
    text,
    score: edit.score ?? 1,
  }
}
