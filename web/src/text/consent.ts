/** Whether a person agreed that corrections go to the server. Nobody has until they say so; kept in this browser. */
import { ref, watch, type Ref } from 'vue'

export type Consent = 'ask' | 'yes' | 'no'

export const consent = kept<Consent>('shizi.feedback', ['ask', 'yes', 'no'])
/** The picture of the line as well, which is a second question. */
export const pictures = kept<'no' | 'yes'>('shizi.feedback-pictures', ['no', 'yes'])
/** The question is on the screen. */
export const asking = ref(false)

/** The first of `allowed` is what holds until something is chosen. */
function kept<T extends string>(name: string, allowed: readonly [T, ...T[]]): Ref<T> {
  const value = ref(allowed[0]) as Ref<T>
  try {
    value.value = allowed.find((each) => each === localStorage.getItem(name)) ?? allowed[0]
  } catch {
    // a browser that keeps nothing asks again the next time
  }
  watch(
    value,
    (now) => {
      try {
        localStorage.setItem(name, now)
      } catch {
        // as above
      }
    },
    { flush: 'sync' },
  )
  return value
}
