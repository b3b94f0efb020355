/** Whether the server takes a key, before it becomes the key of the tab. */

export type Verdict = 'taken' | 'refused' | 'unreachable'

export async function checked(key: string): Promise<Verdict> {
  if (!isKey(key)) return 'refused'
  try {
    const headers = { Authorization: `Bearer ${key}` }
    const answer = await fetch(new URL('v1/models', document.baseURI), {
      headers,
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(15_000),
    })
    return answer.status === 401 ? 'refused' : answer.status < 500 ? 'taken' : 'unreachable'
  } catch {
    return 'unreachable'
  }
}

/** What a header can carry: anything else was not copied from a key. */
function isKey(key: string): boolean {
  return /^[\x21-\x7e]{1,8192}$/.test(key)
}
