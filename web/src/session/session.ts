/** The key or token of this tab: in the browser's session, nowhere else. */
import { ref, watch } from 'vue'

const NAME = 'shizi.key'

export const key = ref(sessionStorage.getItem(NAME) ?? '')
/** The server has asked for a key, or refused the one it got. */
export const asked = ref(false)

watch(key, (now) => {
  if (now) sessionStorage.setItem(NAME, now)
  else sessionStorage.removeItem(NAME)
})

/** The dialog that signs out is open; for the settings. */
export const leaving = ref(false)
