import type { Entry } from '../documents/types'

/** An entry of which nothing is known yet. */
export function blank(file: File, kind: Entry['kind']): Entry {
  return {
    id: newId(),
    name: file.name,
    size: file.size,
    addedAt: (lastAdded = Math.max(Date.now(), lastAdded + 1)),
    kind,
    file,
    password: null,
    state: 'waiting',
    progress: null,
    jobId: null,
    orderKey: null,
    document: null,
    preview: false,
    problem: null,
    requestId: null,
    sha256: null,
    edits: [],
    checked: [],
  }
}

/** Files that are given at once keep their order after a reload. */
let lastAdded = 0

/** crypto.randomUUID is missing on pages without TLS. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(36).padStart(2, '0'),
  ).join('')
}
