/** Files that a person gave become entries. */
import { ref } from 'vue'
import { own } from '../api/client'
import { add, remove } from '../documents/store'
import type { Entry } from '../documents/types'
import { kindOfFile, type Kind } from './kinds'
import { cancel, start } from './work'

/** More at once are not taken. */
export const MOST_FILES = 1_000

/** The camera's dialog is open. */
export const cameraOpen = ref(false)

/** `folder`: what else lies in a folder is left out; a single file that cannot be read is shown with its problem. */
export async function give(files: readonly File[], folder = false): Promise<void> {
  for (const file of files.slice(0, MOST_FILES)) {
    const kind = await kindOfFile(file)
    if (kind === null && folder) continue
    const entry = add(entryOf(file, kind))
    if (kind !== null) start(entry)
  }
}

export function close(entry: Entry): void {
  cancel(entry)
  remove(entry.id)
}

function entryOf(file: File, kind: Kind | null): Entry {
  return {
    id: requestlessId(),
    name: file.name,
    size: file.size,
    addedAt: Date.now(),
    kind: kind ?? 'other',
    file,
    password: null,
    state: kind ? 'waiting' : 'failed',
    progress: null,
    jobId: null,
    document: null,
    preview: false,
    problem: kind ? null : { ...own('UNSUPPORTED_FORMAT', 'neither an image nor a PDF'), retryable: false },
    requestId: null,
    sha256: null,
    edits: [],
    checked: [],
  }
}

/** crypto.randomUUID is missing on pages without TLS. */
function requestlessId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36)).join('')
}
