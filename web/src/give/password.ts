/** Passwords of documents: asked for one after the other, held by the entry until the tab is closed, kept nowhere. */
import { shallowRef } from 'vue'
import type { Entry } from '../documents/types'

export interface Asking {
  readonly entry: Entry
  /** One was given before, and was not it. */
  readonly wrong: boolean
  readonly answer: (password: string | null) => void
}

export const asking = shallowRef<readonly Asking[]>([])

/** null: the person does not say it. */
export function askPassword(entry: Entry): Promise<string | null> {
  return new Promise((done) => {
    const question: Asking = {
      entry,
      wrong: entry.password !== null,
      answer: (password) => {
        asking.value = asking.value.filter((other) => other !== question)
        done(password)
      },
    }
    asking.value = [...asking.value, question]
  })
}
