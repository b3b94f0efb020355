/** What the server offers, as far as this page cares; asked once. */
import { call } from '../api/client'

export interface Capabilities {
  /** Media types by the names of formats. */
  readonly formats: Readonly<Record<string, string>>
  /** null: corrections are not taken. */
  readonly feedback: object | null
}

let known: Promise<Capabilities | null> | null = null

/** null where the server does not say; it is asked again the next time. */
export function capabilities(): Promise<Capabilities | null> {
  known ??= ask().catch(() => {
    known = null
    return null
  })
  return known
}

async function ask(): Promise<Capabilities> {
  const answer = (await (await call('v1/capabilities')).json()) as Partial<Capabilities>
  return { formats: answer.formats ?? {}, feedback: answer.feedback ?? null }
}
